// Sessions made by hand, with the transcript that a person would write down: they try the oracle.

import type { Line } from '../cases/lines.js';
import type { GraphPlan, Session, Step } from './plan.js';

export interface ByHand {
  readonly name: string;
  readonly session: Session;
  readonly transcript: readonly Line[];
}

const PLAN: GraphPlan = {
  route: 'none',
  judge: false,
  say: 'model',
  preamble: false,
  toolThinks: false,
  after: [],
  wait: 'none',
  ids: 'own',
  handler: 'once',
};
const STEP: Step = {
  words: 'Why?',
  hasId: false,
  read: 'messages',
  end: { kind: 'whole' },
  by: 'same',
  next: 'resume',
  decision: true,
  saysMore: true,
};

function session(plan: Partial<GraphPlan>, ...steps: Partial<Step>[]): Session {
  return {
    plan: { ...PLAN, ...plan },
    steps: (steps.length > 0 ? steps : [{}]).map(step => ({ ...STEP, ...step })),
  };
}

const answer = (number: number) => `It is answer ${number}, as far as anybody can tell.`;
const user = 'user: Why?';
const stoppedUser = /^user(?: \((?:error|aborted|abandoned)\))?: Why\?$/;
const assistant = (number: number) => `assistant: ${answer(number)}`;

export const BY_HAND: readonly ByHand[] = [
  { name: 'a question and its answer', session: session({}), transcript: [user, assistant(1)] },
  {
    name: 'two turns of one thread',
    session: session({}, {}, { words: 'And then?' }),
    transcript: [user, assistant(1), 'user: And then?', assistant(2)],
  },
  {
    name: 'a judge, a router and a summariser around the answer',
    session: session({ judge: true, route: 'command', after: ['summarise'] }),
    transcript: [user, assistant(3)],
  },
  {
    name: 'a tool whose model thinks, after talk on the way',
    session: session({ say: 'tools', preamble: true, toolThinks: true }),
    transcript: [user, assistant(3)],
  },
  {
    name: 'an answer and a disclaimer',
    session: session({ after: ['disclaimer'] }, { read: 'invoke' }),
    transcript: [user, `${assistant(1)}\n\nNo guarantee 0.`],
  },
  {
    name: 'an answer and two disclaimers',
    session: session({ after: ['disclaimer', 'disclaimer'] }, { read: 'invoke' }),
    transcript: [user, `${assistant(1)}\n\nNo guarantee 0.\n\nNo guarantee 1.`],
  },
  {
    name: 'an approval',
    session: session({ wait: 'approval' }, {}, { decision: 'approve' }),
    transcript: [user, assistant(1)],
  },
  {
    name: 'an approval in another process',
    session: session({ wait: 'approval' }, {}, { by: 'process' }),
    transcript: [user, assistant(1)],
  },
  {
    name: 'an approval, and then a disclaimer',
    session: session({ wait: 'approval', after: ['disclaimer'] }, {}, {}),
    transcript: [user, assistant(1), 'assistant: No guarantee 0.'],
  },
  {
    name: 'an approval, and then a summary',
    session: session({ wait: 'approval', after: ['summarise'] }, {}, {}),
    transcript: [user, assistant(1)],
  },
  {
    name: 'the words of a resume',
    session: session({ wait: 'input' }, {}, {}),
    transcript: [user, assistant(1), user, assistant(2)],
  },
  {
    name: 'a question of a tool’s',
    session: session({ say: 'tools', wait: 'ask' }, {}, { words: 'Oslo' }),
    transcript: [user, 'assistant: Which city do you mean?', 'user: Oslo', assistant(2)],
  },
  {
    name: 'an update of the state',
    session: session({ wait: 'update' }, {}, { words: 'And then?' }),
    transcript: [user, assistant(1), 'user: And then?', assistant(2)],
  },
  {
    name: 'a run that goes on without an update',
    session: session({ wait: 'update' }, {}, { saysMore: false }),
    transcript: [user, assistant(1), assistant(2)],
  },
  {
    name: 'an edited question',
    session: session({}, {}, { next: 'edit', words: 'And then?' }),
    transcript: [user, assistant(1), 'user: And then?', assistant(2)],
  },
  {
    name: 'an edited question, behind a router that gives a Command',
    session: session({ route: 'command' }, {}, { next: 'edit', words: 'And then?' }),
    transcript: [user, assistant(2), 'user: And then?', assistant(4)],
  },
  {
    name: 'a question that is asked again as it was',
    session: session({}, {}, { next: 'edit' }),
    transcript: [user, assistant(1), assistant(2)],
  },
  {
    name: 'a handler that is given again inside',
    session: session({ handler: 'inside', route: 'node' }),
    transcript: [user, assistant(2)],
  },
  {
    name: 'a provider that repeats its id',
    session: session({ ids: 'same' }, {}, {}),
    transcript: [user, assistant(1), user, assistant(2)],
  },
  {
    name: 'a provider that repeats its id, behind a handler that is given again inside',
    session: session({ ids: 'same', handler: 'inside' }, { read: 'invoke' }, { read: 'invoke' }),
    transcript: [user, assistant(1), user, assistant(2)],
  },
  {
    name: 'a provider that repeats its id, after a question without an answer',
    session: session(
      { ids: 'same', handler: 'inside' },
      { read: 'invoke' },
      { read: 'invoke', end: { kind: 'abort', role: 'say', words: 0 } },
      { read: 'invoke' },
    ),
    transcript: [user, assistant(1), stoppedUser, user, assistant(3)],
  },
  {
    name: 'the words of a resume, of a provider that repeats its id',
    session: session({ ids: 'same', wait: 'input' }, {}, {}),
    transcript: [user, assistant(1), user, assistant(2)],
  },
  {
    name: 'a chain in a node, with a step behind its model',
    session: session({ say: 'masking chain' }),
    transcript: [user, 'assistant: ****** ** *** ** 1, ** *** ** ******* *** ****.'],
  },
  {
    name: 'a chain in a node, with a step behind its model, aborted',
    session: session({ say: 'masking chain' }, { end: { kind: 'abort', role: 'raw', words: 2 } }),
    transcript: [stoppedUser],
  },
  {
    name: 'an abort in the middle of the answer',
    session: session({}, { end: { kind: 'abort', role: 'say', words: 3 } }, {}),
    transcript: [stoppedUser, 'assistant (aborted): It is answer ', user, assistant(2)],
  },
  {
    name: 'an abort while the router is at work',
    session: session({ route: 'command' }, { end: { kind: 'abort', role: 'route', words: 3 } }),
    transcript: [stoppedUser],
  },
  {
    name: 'an abort while the summariser is at work',
    session: session({ after: ['summarise'] }, { end: { kind: 'abort', role: 'summarise', words: 1 } }),
    transcript: [stoppedUser, `assistant (aborted): ${answer(1)}`],
  },
  {
    name: 'a reader who leaves in the middle of the answer',
    session: session({}, { end: { kind: 'break', words: 3 } }),
    transcript: [stoppedUser, 'assistant (abandoned): It is answer '],
  },
  {
    name: 'a model that fails in the middle of the answer',
    session: session({}, { end: { kind: 'throw', role: 'say', when: 'during', words: 3 } }, { words: 'And then?' }),
    transcript: [stoppedUser, 'assistant (error): It is answer ', 'user: And then?', assistant(2)],
  },
  {
    name: 'a router that fails in the middle',
    session: session({ route: 'node' }, { end: { kind: 'throw', role: 'route', when: 'during', words: 3 } }),
    transcript: [stoppedUser],
  },
  {
    name: 'a summariser that fails behind the answer',
    session: session({ after: ['summarise'] }, { end: { kind: 'throw', role: 'summarise', when: 'before', words: 0 } }),
    transcript: [stoppedUser, `assistant (error): ${answer(1)}`],
  },
];
