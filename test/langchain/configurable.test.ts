import { HumanMessage } from '@langchain/core/messages';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { type RunnableConfig, RunnableLambda } from '@langchain/core/runnables';
import { MemorySaver, MessagesAnnotation, StateGraph } from '@langchain/langgraph';
import { createAgent } from 'langchain';
import { describe, expect, it } from 'vitest';
import { conversationUuid } from '../../src/index.js';
import { drain, handlerOn, isOldCore, type On, ScriptedModel } from './support.js';

const echo = () => new ScriptedModel(messages => `Re: ${messages.at(-1)?.text}`);
const prompt = ChatPromptTemplate.fromTemplate('{question}');

const graph = () =>
  new StateGraph(MessagesAnnotation)
    // The config goes on, as apps do it where there is no async context.
    .addNode('model', async ({ messages }, config: RunnableConfig) => ({
      messages: [await prompt.pipe(echo()).invoke({ question: messages.at(-1)?.text ?? '' }, config)],
    }))
    .addEdge('__start__', 'model')
    .addEdge('model', '__end__');

const said = (question: string) => ({ messages: [new HumanMessage(question)] });

// One list for all calls, as an app has it.
const TAGS = ['chat'];

type Run = (question: string, config: RunnableConfig, on: On) => Promise<unknown>;

const ways: [string, Run][] = [
  ['a model', (question, config) => echo().invoke(question, config)],
  ['a model’s stream', (question, config) => drain(echo().stream(question, config))],
  ['a model’s batch', (question, config) => echo().batch([question], [config])],
  [
    'a model with a config of its own',
    (question, { callbacks, configurable }) => echo().withConfig({ callbacks, configurable }).invoke(question),
  ],
  [
    'a model with a cache and tags',
    (question, config) =>
      new ScriptedModel(messages => `Re: ${messages.at(-1)?.text}`, { cache: true }).invoke(question, {
        ...config,
        tags: TAGS,
      }),
  ],
  ['a chain', (question, config) => prompt.pipe(echo()).invoke({ question }, config)],
  ['a chain’s stream', (question, config) => drain(prompt.pipe(echo()).stream({ question }, config))],
  ['a chain’s batch', (question, config) => prompt.pipe(echo()).batch([{ question }], [config])],
  [
    'a chain’s streamEvents',
    (question, config) => drain(prompt.pipe(echo()).streamEvents({ question }, { ...config, version: 'v2' })),
  ],
  [
    'a chain with a config of its own',
    (question, { callbacks, configurable }) =>
      prompt.pipe(echo()).withConfig({ callbacks, configurable }).invoke({ question }),
  ],
  ['a lambda', (question, config) => RunnableLambda.from((text: string) => `Re: ${text}`).invoke(question, config)],
  [
    'a streamed lambda',
    (question, config) => drain(RunnableLambda.from((text: string) => `Re: ${text}`).stream(question, config)),
  ],
  ['a graph', (question, config) => graph().compile().invoke(said(question), config)],
  ['a graph’s stream', (question, config) => drain(graph().compile().stream(said(question), config))],
  [
    'a graph’s batch',
    (question, config) =>
      graph()
        .compile()
        .batch([said(question)], [config]),
  ],
  [
    'a graph’s messages',
    (question, config) =>
      drain(
        graph()
          .compile()
          .stream(said(question), { ...config, streamMode: 'messages' }),
      ),
  ],
  [
    'a graph’s streamEvents',
    (question, config) =>
      drain(
        graph()
          .compile()
          .streamEvents(said(question), { ...config, version: 'v2' }),
      ),
  ],
  [
    'a graph with a config of its own',
    (question, { callbacks, configurable }) =>
      graph().compile().withConfig({ callbacks, configurable }).invoke(said(question)),
  ],
  [
    'a graph with a checkpointer',
    (question, config) => graph().compile({ checkpointer: new MemorySaver() }).invoke(said(question), config),
  ],
  ['an agent', (question, config) => createAgent({ model: echo(), tools: [] }).invoke(said(question), config)],
  [
    'an agent’s stream',
    async (question, config) => drain(await createAgent({ model: echo(), tools: [] }).stream(said(question), config)),
  ],
];

if (!isOldCore)
  ways.push([
    'an agent’s streamEvents',
    async (question, config) =>
      drain(await createAgent({ model: echo(), tools: [] }).streamEvents(said(question), { ...config, version: 'v3' })),
  ]);

/** Who each user's message was recorded for. */
async function recordedFor(on: On) {
  await on.recorder.flush();
  return on.synap.stored
    .filter(({ role }) => role === 'user')
    .map(({ user_id, customer_id, session_id, metadata }) => ({
      user: user_id,
      customer: customer_id,
      session: session_id,
      conversation: metadata?.external_conversation_id,
    }));
}

const none = { customer: undefined, session: undefined };

describe('the configurable of a call', () => {
  it.each(ways)('says who is talking where, with %s', async (_, run) => {
    await using on = await handlerOn();
    const configurable = {
      user_id: 'u1',
      customer_id: 'k1',
      session_id: 's1',
      conversation_id: 'c1',
      thread_id: 't1',
    };
    await run('Hi', { ...on.config, configurable }, on);
    expect(await recordedFor(on)).toEqual([{ user: 'u1', customer: 'k1', session: 's1', conversation: 'c1' }]);
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Re: Hi']);
  });

  it.each(ways)('belongs to that call alone, of many at the same time, with %s', async (_, run) => {
    await using on = await handlerOn();
    const users = Array.from({ length: 10 }, (_, index) => `user-${index}`);
    await Promise.all(
      users.map(user =>
        run(`I am ${user}`, { ...on.config, configurable: { userId: user, thread_id: `chat of ${user}` } }, on),
      ),
    );
    await on.recorder.flush();
    for (const user of users)
      expect(on.synap.transcript(conversationUuid(`chat of ${user}`, { userId: user }))).toEqual([
        `user: I am ${user}`,
        `assistant: Re: I am ${user}`,
      ]);
    expect(on.synap.stored).toHaveLength(2 * users.length);
  });

  it.each([
    ['camelCase names', { userId: 'u1', conversationId: 'c1' }, { user: 'u1', conversation: 'c1' }],
    ['a session before a thread', { session_id: 's1', thread_id: 't1' }, { session: 's1', conversation: 's1' }],
    ['a conversation before a session', { sessionId: 's1', conversation_id: 'c1' }, { conversation: 'c1' }],
    ['a thread', { thread_id: 't1' }, { conversation: 't1', user: 'ada' }],
    ['a number', { user_id: 7, thread_id: 42 }, { user: '7', conversation: '42' }],
    [
      'the farther layers, where it is absent',
      { user_id: '', conversation_id: ' ' },
      { user: 'ada', conversation: 'chat' },
    ],
  ])('goes by %s', async (_, configurable, expected) => {
    await using on = await handlerOn();
    await graph()
      .compile()
      .invoke(said('Hi'), { ...on.config, configurable });
    expect(await recordedFor(on)).toMatchObject([expected]);
  });

  it.each([Number.NaN, 'undefined', '[object Object]'])('names nobody by %s, and nobody stands in', async user_id => {
    await using on = await handlerOn({ userId: 'eve' });
    await graph()
      .compile()
      .invoke(said('Hi'), { ...on.config, configurable: { user_id } });
    expect(await recordedFor(on)).toEqual([]);
    expect(on.losses.map(({ reason }) => reason)).toContain('missing_user_id');
  });

  it('comes after the metadata of the call, and before what is ambient, the handler and the recorder', async () => {
    await using on = await handlerOn({ userId: 'u-handler', customerId: 'k-handler' }, { sessionId: 's-recorder' });
    const call = (config: RunnableConfig) =>
      on.recorder.withIdentity({ userId: 'u-ambient', customerId: 'k-ambient' }, () =>
        prompt.pipe(echo()).invoke({ question: 'Hi' }, { ...on.config, ...config }),
      );
    await call({ metadata: { user_id: 'u-metadata' }, configurable: { user_id: 'u-configurable', customer_id: 'k1' } });
    await call({ configurable: { user_id: 'u-configurable', thread_id: 't1' } });
    await call({});
    const seen = (await recordedFor(on)).map(({ user, customer }) => ({ user, customer }));
    expect(seen).toEqual([
      { user: 'u-metadata', customer: 'k1' },
      { user: 'u-configurable', customer: 'k-ambient' },
      { user: 'u-ambient', customer: 'k-ambient' },
    ]);
  });

  it('does not put a chat that it names beside one user into another one’s', async () => {
    await using on = await handlerOn({}, { conversationId: undefined });
    const configurable = { user_id: 'eve', conversation_id: 'c-of-eve' };
    await graph()
      .compile()
      .invoke(said('Hi'), { ...on.config, metadata: { user_id: 'bob' }, configurable });
    expect(await recordedFor(on)).toMatchObject([{ user: 'bob' }]);
    // On the old line, LangChain puts both into one.
    if (!isOldCore)
      expect(on.synap.stored[0]?.conversation_id).not.toBe(conversationUuid('c-of-eve', { userId: 'bob' }));
  });

  it('is not taken from the parameters of a model', async () => {
    const model = new (class extends ScriptedModel {
      override invocationParams() {
        return { user_id: 'of the provider', session_id: 's' } as never;
      }
    })(['Re: Hi']);
    await using on = await handlerOn();
    await model.invoke('Hi', on.config);
    expect(await recordedFor(on)).toEqual([{ ...none, user: 'ada', conversation: 'chat' }]);
  });
});

describe('the user who is signed in to LangGraph’s server', () => {
  const signedIn = { langgraph_auth_user_id: 'ada', langgraph_auth_user: { identity: 'ada' }, thread_id: 't1' };
  const graphs = ways.filter(([name]) => /graph|agent/.test(name) && !name.includes('config of its own'));

  it.each(graphs)('is whom a run is recorded for, with %s', async (_, run) => {
    await using on = await handlerOn({ userId: 'handler' });
    await run('Hi', { ...on.config, configurable: { ...signedIn, user_id: 'bob' } }, on);
    expect(await recordedFor(on)).toEqual([{ ...none, user: 'ada', conversation: 't1' }]);
  });

  it.each(graphs)('is nobody whom the client names in its metadata, with %s', async (_, run) => {
    await using on = await handlerOn();
    const metadata = { user_id: 'bob', langgraph_auth_user_id: 'bob', thread_id: 'chat of bob', run_id: 'r' };
    await run('Hi', { ...on.config, metadata, configurable: { ...signedIn, user_id: 'bob' } }, on);
    expect(await recordedFor(on)).toEqual([{ ...none, user: 'ada', conversation: 't1' }]);
  });

  it('comes before metadata that the graph was bound with', async () => {
    await using on = await handlerOn();
    const bound = graph()
      .compile()
      .withConfig({ ...on.config, metadata: { user_id: 'ada' } });
    await bound.invoke(said('Hi'), { metadata: { user_id: 'bob' }, configurable: signedIn });
    expect(await recordedFor(on)).toMatchObject([{ user: 'ada', conversation: 't1' }]);
  });

  it('keeps a chat that the call names for that user', async () => {
    await using on = await handlerOn();
    await graph()
      .compile()
      .invoke(said('Hi'), { ...on.config, metadata: { conversation_id: 'c1' }, configurable: signedIn });
    expect(await recordedFor(on)).toMatchObject([{ user: 'ada', conversation: 'c1' }]);
  });

  it('is each run’s own, of many at the same time', async () => {
    await using on = await handlerOn();
    const users = Array.from({ length: 10 }, (_, index) => `user-${index}`);
    const compiled = graph().compile();
    await Promise.all(
      users.map(user =>
        drain(
          compiled.streamEvents(said(`I am ${user}`), {
            ...on.config,
            version: 'v2',
            configurable: { langgraph_auth_user_id: user, thread_id: user },
          }),
        ),
      ),
    );
    await on.recorder.flush();
    for (const user of users)
      expect(on.synap.transcript(conversationUuid(user, { userId: user }))).toEqual([
        `user: I am ${user}`,
        `assistant: Re: I am ${user}`,
      ]);
  });

  it('may be named by the metadata where nothing else tells', async () => {
    await using on = await handlerOn();
    await echo().invoke('Hi', { ...on.config, metadata: { langgraph_auth_user_id: 'eve', user_id: 'bob' } });
    expect(await recordedFor(on)).toMatchObject([{ user: 'eve' }]);
  });
});

describe('what is said of a run that lacks', () => {
  it.each([
    ['a user', { userId: undefined }, { thread_id: 't1' }, 'userId is not recorded', 'user_id: session.user.id'],
    ['a chat', { conversationId: undefined }, {}, 'conversationId is recorded', 'conversation_id: chat.id'],
    ['a user who is somebody', {}, { user_id: 'undefined' }, 'userId is "undefined"', 'user_id: session.user.id'],
  ])('%s is said once, with the line to write', async (_, recorder, configurable, problem, field) => {
    await using on = await handlerOn({}, recorder);
    for (const question of ['Hi', 'And?'])
      await prompt.pipe(echo()).invoke({ question }, { ...on.config, configurable });
    const said = on.log.filter(line => line.includes(problem));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(
      `chain.invoke(input, { callbacks: [handler], metadata: { ${field} } }), or configurable: { ${field} }`,
    );
    expect(said[0]).not.toContain('providerOptions');
  });
});
