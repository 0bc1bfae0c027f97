import { HumanMessage } from '@langchain/core/messages';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { RunnableLambda } from '@langchain/core/runnables';
import { createAgent } from 'langchain';
import { describe, expect, it } from 'vitest';
import { conversationUuid } from '../../src/index.js';
import { turns } from '../support/turns.js';
import { drain, handlerOn, isOldCore, type On, ScriptedModel } from './support.js';

const echo = () => new ScriptedModel(messages => `Re: ${messages.at(-1)?.text}`);

/** Who the first message was recorded for. */
async function recordedFor(on: On) {
  await on.recorder.flush();
  const [message] = on.synap.stored;
  return {
    conversation: message?.metadata?.external_conversation_id,
    user: message?.user_id,
    customer: message?.customer_id,
    session: message?.session_id,
  };
}

describe('the metadata of a call', () => {
  it.each([
    ['conversation_id', { conversation_id: 'c1', user_id: 'u1', customer_id: 'k1', session_id: 's1' }],
    ['conversationId', { conversationId: 'c1', userId: 'u1', customerId: 'k1', sessionId: 's1' }],
  ])('says who is talking where, with names like %s', async (_, metadata) => {
    await using on = await handlerOn();
    await echo().invoke('Hi', { ...on.config, metadata });
    expect(await recordedFor(on)).toEqual({ conversation: 'c1', user: 'u1', customer: 'k1', session: 's1' });
  });

  it.each([
    ['session_id', { session_id: 's1', thread_id: 't1' }, { conversation: 's1', session: 's1' }],
    ['thread_id', { thread_id: 't1' }, { conversation: 't1', session: undefined }],
    ['a number', { conversation_id: 42 }, { conversation: '42', session: undefined }],
    ['the handler, where it says nothing', { topic: 'bears' }, { conversation: 'h', session: undefined }],
  ])('names the conversation by %s', async (_, metadata, expected) => {
    await using on = await handlerOn({ conversationId: 'h' });
    await echo().invoke('Hi', { ...on.config, metadata });
    expect(await recordedFor(on)).toMatchObject(expected);
  });

  it('names the conversation by the thread of a graph', async () => {
    await using on = await handlerOn();
    await createAgent({ model: echo(), tools: [] }).invoke(
      { messages: [new HumanMessage('Hi')] },
      { ...on.config, configurable: { thread_id: 't1' }, metadata: { user_id: 'u1' } },
    );
    expect(await recordedFor(on)).toMatchObject({ conversation: 't1', user: 'u1' });
  });

  it('comes before what is ambient, then the handler, then the recorder', async () => {
    await using on = await handlerOn(
      { userId: 'u-handler', customerId: 'k-handler' },
      { conversationId: 'c-recorder' },
    );
    await on.recorder.withIdentity({ userId: 'u-ambient', sessionId: 's-ambient' }, () =>
      echo().invoke('Hi', { ...on.config, metadata: { session_id: 's-call' } }),
    );
    expect(await recordedFor(on)).toEqual({
      conversation: 's-call',
      user: 'u-ambient',
      customer: 'k-handler',
      session: 's-call',
    });
  });

  it('never puts one user into the conversation of another', async () => {
    await using on = await handlerOn({ userId: 'ada', conversationId: 'c-of-ada' });
    await echo().invoke('Hi', { ...on.config, metadata: { user_id: 'bob' } });
    await on.recorder.flush();
    expect(on.synap.stored[0]?.conversation_id).not.toBe(conversationUuid('c-of-ada', { userId: 'bob' }));
  });
});

describe('the ambient identity', () => {
  const users = Array.from({ length: 20 }, (_, index) => `user-${index}`);
  const prompt = ChatPromptTemplate.fromTemplate('{question}');
  const agent = createAgent({ model: echo(), tools: [] });

  it.each<[string, (question: string, on: On) => Promise<unknown>]>([
    ['invoke', (question, { config }) => prompt.pipe(echo()).invoke({ question }, config)],
    ['stream', (question, { config }) => drain(prompt.pipe(echo()).stream({ question }, config))],
    ['batch', (question, { config }) => prompt.pipe(echo()).batch([{ question }], { ...config, maxConcurrency: 1 })],
    [
      'a streamed lambda',
      (question, { config }) => drain(RunnableLambda.from((q: string) => `Re: ${q}`).stream(question, config)),
    ],
    [
      'streamEvents',
      (question, { config }) => drain(prompt.pipe(echo()).streamEvents({ question }, { ...config, version: 'v2' })),
    ],
    ['an agent', (question, { config }) => agent.invoke({ messages: [new HumanMessage(question)] }, config)],
    [
      'an agent’s stream',
      async (question, { config }) => drain(agent.stream({ messages: [new HumanMessage(question)] }, config)),
    ],
    [
      'an agent’s streamEvents',
      async (question, { config }) =>
        drain(await agent.streamEvents({ messages: [new HumanMessage(question)] }, { ...config, version: 'v3' })),
    ],
  ])('is the caller’s own, whoever else runs at the same time, with %s', async (name, run) => {
    if (isOldCore && name === 'an agent’s streamEvents') return; // there is no v3
    await using on = await handlerOn();
    await Promise.all(
      users.map(user =>
        on.recorder.withIdentity({ userId: user, conversationId: `chat of ${user}` }, () => run(`I am ${user}`, on)),
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

  it('is not read when the handler is put into the background queue, where it may be anybody’s', async () => {
    await using on = await handlerOn();
    on.handler.awaitHandlers = false;
    await on.recorder.withIdentity({ userId: 'bob' }, () => echo().invoke('Hi', on.config));
    await turns();
    expect(await recordedFor(on)).toMatchObject({ user: 'ada' });
  });
});
