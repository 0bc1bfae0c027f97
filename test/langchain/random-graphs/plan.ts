// Random graphs as data: what an app is made of, and what is done with it.

import fc from 'fast-check';

/** Whose words a model's are. Of these, only what `say` says is for the user. */
export type Role = 'route' | 'judge' | 'say' | 'raw' | 'think' | 'summarise';

const WAYS_TO_READ = ['invoke', 'values', 'updates', 'messages', 'events'] as const;

/** A graph that talks with a user. */
export interface GraphPlan {
  /** A model that decides where to go: in a node, in a node that gives a Command, or on an edge. */
  readonly route: 'none' | 'node' | 'command' | 'edge';
  /** A model that looks at the question before it is answered. */
  readonly judge: boolean;
  /**
   * What answers: a model, a model and tools in a loop, an agent of LangGraph's own, fixed words, a node that changes its
   * model's words, or a chain with a step behind its model.
   */
  readonly say: 'model' | 'tools' | 'agent' | 'canned' | 'masked' | 'masking chain';
  /** Whether it talks before it calls its tool. */
  readonly preamble: boolean;
  /** Whether the tool asks a model. */
  readonly toolThinks: boolean;
  /** The nodes behind the answer. */
  readonly after: readonly ('summarise' | 'judge' | 'disclaimer')[];
  /**
   * What the graph waits for: a decision behind the answer; the user's next words at its end; a reply to a tool's question;
   * an update of its state before it goes on.
   */
  readonly wait: 'none' | 'approval' | 'input' | 'ask' | 'update';
  /** The ids of a model's messages: one each, none, or the same for all. */
  readonly ids: 'own' | 'none' | 'same';
  /** Where the handler is given: to the call; to the node's model, too, itself or a second one; twice; to the model's constructor. */
  readonly handler: 'once' | 'inside' | 'second' | 'two' | 'constructor';
}

/** How a step comes to its end. */
export type End =
  | { readonly kind: 'whole' }
  /** The app's signal is aborted while such a model is at work, after so many words. */
  | { readonly kind: 'abort'; readonly role: Role; readonly words: number }
  /** The reader leaves while the model that answers is at work, after so many words. */
  | { readonly kind: 'break'; readonly words: number }
  /** The reader lets the model run ahead, and aborts or leaves after so many chunks. */
  | { readonly kind: 'slow abort' | 'slow break'; readonly chunks: number }
  /** A model fails after so many words; its node fails before it is asked, or after it has answered. */
  | {
      readonly kind: 'throw';
      readonly role: Role;
      readonly when: 'before' | 'during' | 'after';
      readonly words: number;
    };

/** One request. */
export interface Step {
  readonly words: string;
  /** Whether the app gives its messages ids. */
  readonly hasId: boolean;
  readonly read: (typeof WAYS_TO_READ)[number];
  readonly end: End;
  /** Who handles the request: the same handler as before, a new one, or another process. */
  readonly by: 'same' | 'handler' | 'process';
  /** What is done with a thread that was there before: go on as the graph waits, ask something new, or edit the last question. */
  readonly next: 'resume' | 'ask' | 'edit';
  /** A decision, where the graph waits for one. */
  readonly decision: true | 'approve' | { readonly decisions: readonly { readonly type: string }[] };
  /** Whether the state is updated with words, where the graph waits for that. */
  readonly saysMore: boolean;
}

export interface Session {
  readonly plan: GraphPlan;
  readonly steps: readonly Step[];
}

/** What random graphs may have beyond a question and its answer. Each can be switched on by itself. */
export const FEATURES = [
  'routers',
  'tools',
  'steps behind the answer',
  'several messages',
  'steps behind the model',
  'approvals',
  'words of a resume',
  'a tool that asks',
  'updates of the state',
  'edits',
  'handlers given twice',
  'handlers per request',
  'processes',
  'repeated ids',
  'aborts',
  'breaks',
  'slow readers',
  'errors',
] as const;

export type Feature = (typeof FEATURES)[number];

const plain = (value: string) => fc.constant(value as never);

/** Sessions that have such features; every one of them may also be absent. */
export function sessions(features: ReadonlySet<Feature>): fc.Arbitrary<Session> {
  const has = (feature: Feature) => features.has(feature);
  const oneOf = <T extends string>(...options: (readonly [T, boolean])[]) =>
    fc.constantFrom(...options.filter(([, isOn]) => isOn).map(([option]) => option));

  const behind: GraphPlan['after'][number][] = [];
  if (has('steps behind the answer')) behind.push('summarise', 'judge');
  if (has('several messages')) behind.push('disclaimer');
  const plan = fc.record({
    route: oneOf(['none', true], ['node', has('routers')], ['command', has('routers')], ['edge', has('routers')]),
    judge: has('routers') ? fc.boolean() : fc.constant(false),
    say: oneOf(
      ['model', true],
      ['tools', has('tools')],
      ['agent', has('tools')],
      ['canned', has('steps behind the model')],
      ['masked', has('steps behind the model')],
      ['masking chain', has('steps behind the model')],
    ),
    preamble: fc.boolean(),
    toolThinks: fc.boolean(),
    after: behind.length > 0 ? fc.array(fc.constantFrom(...behind), { maxLength: 2 }) : fc.constant([]),
    wait: oneOf(
      ['none', true],
      ['approval', has('approvals')],
      ['input', has('words of a resume')],
      ['ask', has('a tool that asks')],
      ['update', has('updates of the state')],
    ),
    ids: oneOf(['own', true], ['none', true], ['same', has('repeated ids')]),
    handler: oneOf(
      ['once', true],
      ['inside', has('handlers given twice')],
      ['second', has('handlers given twice')],
      ['two', has('handlers given twice')],
      ['constructor', has('handlers given twice')],
    ),
  });

  const words = fc.integer({ min: 0, max: 4 });
  const role = fc.constantFrom<Role>('say', 'say', 'route', 'judge', 'think', 'summarise', 'raw');
  const ends: fc.Arbitrary<End>[] = [fc.constant({ kind: 'whole' }), fc.constant({ kind: 'whole' })];
  if (has('aborts')) ends.push(fc.record({ kind: plain('abort'), role, words }));
  if (has('breaks')) ends.push(fc.record({ kind: plain('break'), words }));
  if (has('errors'))
    ends.push(
      fc.record({ kind: plain('throw'), role, when: fc.constantFrom('before', 'during', 'after'), words }) as never,
    );
  const step = fc.record({
    words: fc.constantFrom('Why?', 'Yes', 'And then?', 'approve', 'Tell me more.'),
    hasId: fc.boolean(),
    read: fc.constantFrom(...WAYS_TO_READ),
    end: fc.oneof(...ends),
    by: oneOf(['same', true], ['handler', has('handlers per request')], ['process', has('processes')]),
    next: oneOf(['resume', true], ['ask', true], ['edit', has('edits')]),
    decision: fc.constantFrom(true, 'approve', { decisions: [{ type: 'approve' }] }),
    saysMore: fc.boolean(),
  }) as fc.Arbitrary<Step>;
  // How far a graph has got when its slow reader stops is chance, so that nothing may depend on it.
  const slow = fc.record({ kind: fc.constantFrom('slow abort', 'slow break'), chunks: fc.integer({ min: 1, max: 6 }) });
  const last = has('slow readers')
    ? fc.option(
        fc.tuple(step, slow).map(([one, end]) => ({ ...one, end }) as Step),
        { nil: undefined },
      )
    : fc.constant(undefined);
  return fc
    .tuple(plan as fc.Arbitrary<GraphPlan>, fc.array(step, { minLength: 1, maxLength: 4 }), last)
    .map(([made, steps, end]) => ({ plan: possible(made), steps: end ? [...steps, end] : steps }));
}

/** Some things exclude each other. */
function possible(plan: GraphPlan): GraphPlan {
  const asks = plan.wait === 'ask' && plan.say !== 'tools' && plan.say !== 'agent';
  const say = asks ? 'tools' : plan.say;
  // An agent's tool call must stand last in the state, so that its id may not be that of an older message.
  const isAgent = say !== 'model';
  // An answer in the place of an earlier one, of a model that the handler doesn't know, may be an edit of that: it counts only
  // where nothing else was said.
  const isUnclear = plan.after.includes('disclaimer') && (plan.handler === 'inside' || plan.handler === 'second');
  const ids = plan.ids === 'same' && (isAgent || isUnclear) ? 'own' : plan.ids;
  return { ...plan, say, ids };
}
