// What is inside of a call belongs to it, as long as the call is running and nobody else is named; all else is a turn.

import { EventEmitter, on } from 'node:events';
import * as z from 'zod/v4';
import { type Case, readText, runCases, type Situation } from './run-cases.js';

const inputSchema = z.object({});

/** Answers by what was asked; a question "Go" calls the tool first. */
const script: Case['script'] = ((prompt: { role: string; content: unknown }[]) => {
  const last = prompt.at(-1);
  if (last?.role === 'tool') return ['Gone.'];
  const words = JSON.stringify(last?.content);
  return words.includes('Go') ? [{ tool: 'act' }] : [words.includes('title') ? 'A Title' : 'Next answer.'];
}) as never;

/** Starts a turn with a tool that does what a case wants. */
async function go({ sdk, model, major }: Situation, act: () => unknown, options: object = {}) {
  const tools = { act: { inputSchema, execute: async () => (await act()) ?? 'ok' } };
  await readText(
    sdk.streamText({ model, prompt: 'Go', tools, stopWhen: major.steps(3), ...options } as never).textStream,
  );
}

const next = async ({ sdk, model }: Situation, prompt = 'Next') => void (await sdk.generateText({ model, prompt }));

const turn = ['user: Go', 'assistant: Gone.'];
const nextTurn = ['user: Next', 'assistant: Next answer.'];

const cases: Case[] = [
  {
    name: 'a tool asks a model for itself',
    script,
    app: situation => go(situation, () => next(situation)),
    transcript: turn,
    because: 'nobody but the tool said "Next", and nobody read the answer',
    modelAlone: {
      transcript: ['user: Go', 'user: Next', 'assistant: Next answer.', 'assistant: Gone.'],
      because: 'a model alone does not see that a tool calls it',
    },
  },
  {
    name: 'the next turn is started from onFinish',
    script,
    app: async situation => {
      const finished = Promise.withResolvers<void>();
      await go(situation, () => {}, { onFinish: () => void next(situation).then(finished.resolve) });
      await finished.promise;
    },
    transcript: [...turn, ...nextTurn],
    because: 'the call was over: it is the next turn of the conversation',
  },
  {
    name: 'onFinish waits for the next turn',
    script,
    app: situation => go(situation, () => {}, { onFinish: () => next(situation) }),
    transcript: [...turn, ...nextTurn],
    because: 'the call was over, although its stream is not closed yet',
  },
  {
    name: 'onFinish of a generated answer waits for the next turn',
    script,
    app: async situation => {
      const { sdk, model } = situation;
      const { text } = await sdk.generateText({ model, prompt: 'Say', onFinish: () => next(situation) });
      return text;
    },
    sees: 'Next answer.',
    transcript: ['user: Say', 'assistant: Next answer.', ...nextTurn],
    because: 'the answer was whole before the next turn began',
    majors: ['ai 6', 'ai 7'],
  },
  {
    name: 'onFinish of an agent’s generated answer waits for the next turn',
    script,
    app: async situation => {
      const { sdk, model } = situation;
      const agent = new sdk.ToolLoopAgent({ model, onFinish: () => next(situation) });
      return (await agent.generate({ prompt: 'Say' })).text;
    },
    sees: 'Next answer.',
    transcript: ['user: Say', 'assistant: Next answer.', ...nextTurn],
    because: 'the answer was whole before the next turn began',
    majors: ['ai 6', 'ai 7'],
  },
  {
    name: 'the next turn is started from onEnd',
    majors: ['ai 7'],
    script,
    app: situation => go(situation, () => {}, { onEnd: () => next(situation) }),
    transcript: [...turn, ...nextTurn],
    because: 'the call was over',
  },
  {
    name: 'a subscription that a tool opened hears of something later',
    script,
    app: async situation => {
      const inbox = new EventEmitter();
      let answered: Promise<void> | undefined;
      await go(situation, () => {
        const messages = on(inbox, 'message');
        answered = (async () => {
          await messages.next();
          await next(situation);
        })();
      });
      inbox.emit('message');
      await answered;
    },
    transcript: [...turn, ...nextTurn],
    because: 'the subscription outlives the call that opened it',
  },
  {
    name: 'a callback that a tool has registered is called later',
    script,
    app: async situation => {
      const later = Promise.withResolvers<void>();
      let answered: Promise<void> | undefined;
      await go(situation, () => {
        answered = later.promise.then(() => next(situation));
      });
      later.resolve();
      await answered;
    },
    transcript: [...turn, ...nextTurn],
    because: 'the call was over when it ran',
  },
  {
    name: 'a tool speaks for another user, by an ambient identity',
    script,
    app: situation => {
      const { recorder } = situation;
      return go(situation, () =>
        recorder
          ? recorder.withIdentity({ userId: 'bob', conversationId: 'b' }, () => next(situation))
          : next(situation),
      );
    },
    transcript: ['user: Go', ...nextTurn, 'assistant: Gone.'],
    because: 'it is a turn of that user, whoever made the call',
  },
  {
    name: 'a tool repeats who is talking',
    script,
    app: situation => {
      const { recorder } = situation;
      const same = { userId: 'ada', conversationId: '00000000-0000-0000-0000-000000000001' };
      return go(situation, () => (recorder ? recorder.withIdentity(same, () => next(situation)) : next(situation)));
    },
    transcript: turn,
    because: 'nobody else is named',
    modelAlone: false,
  },
  {
    name: 'a title is made beside the answer, without recording',
    script,
    app: async situation => {
      const { recorder } = situation;
      const title = () => next(situation, 'A title for this');
      await Promise.all([go(situation, () => {}), recorder ? recorder.withoutRecording(title) : title()]);
    },
    transcript: turn,
    because: 'the user did not ask for a title, and does not read it as an answer',
  },
  {
    name: 'a title is made in onFinish, by a call that is not to be recorded',
    script,
    app: async situation => {
      const { sdk, model } = situation;
      const providerOptions = { synap: { record: false } };
      const onFinish = () => sdk.generateText({ model, prompt: 'A title for this', providerOptions });
      await go(situation, () => {}, { onFinish });
    },
    transcript: turn,
    because: 'the app says so',
  },
  {
    name: 'a streamed call without recording is read elsewhere',
    script,
    app: async situation => {
      const { recorder, sdk, model } = situation;
      const start = () => sdk.streamText({ model, prompt: 'A title for this' });
      await readText((recorder ? recorder.withoutRecording(start) : start()).textStream);
      await next(situation);
    },
    transcript: nextTurn,
    because: 'it counts where the call was made',
  },
];

runCases('what is inside of a call', cases);
