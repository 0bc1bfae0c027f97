import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import {
  AuthenticationError,
  conversationUuid,
  createRecorder,
  NetworkError,
  ServiceUnavailableError,
  SynapClient,
  SynapError,
  TimeoutError,
  UnexpectedResponseError,
} from '../../src/index.js';
import { SynapChatMessageHistory } from '../../src/langchain/index.js';
import { type Answer, type SeenRequest, scriptedSynap } from '../support/scripted-synap.js';
import { lines, on } from './history-support.js';

describe('reading a history', () => {
  it('reads a long conversation whole', async () => {
    await using o = await on({ batch: { maxMessages: 500, lingerMs: 5 } });
    const messages = Array.from({ length: 450 }, (_, n) =>
      n % 2 ? new AIMessage(`a${n}`) : new HumanMessage(`u${n}`),
    );
    await o.history().addMessages(messages);
    await o.recorder.flush();
    const other = new SynapChatMessageHistory(createRecorder({ enabled: false }), {
      userId: 'ada',
      conversationId: 'chat',
      read: o.read,
    });
    expect((await other.getMessages()).map(({ content }) => content)).toEqual(messages.map(({ content }) => content));
  });

  const served = async (answer: (request: SeenRequest) => Answer | undefined, read: object = {}) => {
    const synap = await scriptedSynap(request => (request.method === 'GET' ? answer(request) : undefined));
    const recorder = createRecorder({
      apiKey: 'sk-secret',
      baseUrl: synap.url,
      userId: 'ada',
      rateLimit: false,
      logger: false,
    });
    const history = new SynapChatMessageHistory(recorder, {
      conversationId: 'chat',
      read: { apiKey: 'sk-secret', baseUrl: synap.url, ...read },
    });
    return {
      history,
      recorder,
      synap,
      async [Symbol.asyncDispose]() {
        await recorder.close();
        await synap.close();
      },
    };
  };
  const said = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
  ];
  const recent = (recent_messages: object[], more: object = {}) => ({ json: { recent_messages, ...more } });

  it('asks once, for the context of a prompt, and for nothing that may not be there', async () => {
    await using s = await served(() => recent(said));
    expect(await lines(s.history)).toEqual(['human: Hi', 'ai: Hello']);
    const id = conversationUuid('chat', { userId: 'ada' });
    expect(s.synap.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET /v1/conversations/${id}/context-for-prompt`,
    ]);
  });

  it.each([
    ['wrapped', { json: { context_for_prompt: { recent_messages: said } } }],
    [
      'with LangChain’s roles, and others',
      recent([
        { role: 'human', content: 'Hi' },
        { role: 'tool', content: '42' },
        { role: 'ai', content: 'Hello' },
        { role: 'user' },
      ]),
    ],
    ['without a compacted part', recent(said, { available: false, formatted_context: 'of old' })],
    ['with an empty compacted part', recent(said, { available: true, formatted_context: ' ' })],
  ])('reads an answer %s', async (_, answer) => {
    await using s = await served(() => answer);
    expect(await lines(s.history)).toEqual(['human: Hi', 'ai: Hello']);
  });

  it('gives the compacted part as one system message, the recent ones after it, and then what is on its way', async () => {
    const compacted = { available: true, formatted_context: 'Ada likes the sky.', compacted_message_count: 8 };
    await using s = await served(() => recent(said, { ...compacted, total_message_count: 10 }));
    await s.history.addUserMessage('Why?');
    expect(await lines(s.history)).toEqual(['system: Ada likes the sky.', 'human: Hi', 'ai: Hello', 'human: Why?']);
  });

  it('gives the compacted part alone, with what it does not hold after it', async () => {
    await using s = await served(() => ({ json: { formatted_context: 'Ada said Hi.' } }));
    await s.history.addMessages([new HumanMessage('Hi'), new AIMessage('Hello'), new HumanMessage('Why?')]);
    expect(await lines(s.history)).toEqual(['system: Ada said Hi.', 'ai: Hello', 'human: Why?']);
  });

  it('knows a message by its words where the server names no turns', async () => {
    let stored: object[] = said;
    await using s = await served(() => recent(stored));
    await s.history.addMessages([new HumanMessage('Why?'), new AIMessage('Because.')]);
    expect(await lines(s.history)).toEqual(['human: Hi', 'ai: Hello', 'human: Why?', 'ai: Because.']);
    stored = [...said, { role: 'user', content: 'Why?' }];
    expect(await lines(s.history)).toEqual(['human: Hi', 'ai: Hello', 'human: Why?', 'ai: Because.']);
    await s.recorder.flush();
    stored = [{ role: 'assistant', content: 'A summary' }];
    expect(await lines(s.history)).toEqual(['ai: A summary']);
  });

  it('gives no message twice of which the beginning was compacted while others are on their way', async () => {
    const compacted = { available: true, formatted_context: 'They said hello.', total_message_count: 6 };
    const stored = [
      { role: 'user', content: 'Two?' },
      { role: 'assistant', content: 'Second.' },
    ];
    await using s = await served(() => recent(stored, compacted));
    const turns = [
      new HumanMessage('One?'),
      new AIMessage('First.'),
      new HumanMessage('Two?'),
      new AIMessage('Second.'),
      new HumanMessage('Three?'),
    ];
    await s.history.addMessages(turns);
    expect(await lines(s.history)).toEqual(['system: They said hello.', 'human: Two?', 'ai: Second.', 'human: Three?']);
  });

  it('gives the same words twice that were said twice', async () => {
    const yes = [
      { role: 'user', content: 'yes' },
      { role: 'assistant', content: 'ok' },
    ];
    await using s = await served(() => recent(yes));
    await s.history.addMessages([new HumanMessage('yes'), new AIMessage('ok'), new HumanMessage('yes')]);
    expect(await lines(s.history)).toEqual(['human: yes', 'ai: ok', 'human: yes']);
  });

  it('of more than a local Synap gives at once, reads the latest, and none twice', async () => {
    await using o = await on({ batch: { maxMessages: 500, lingerMs: 5 } });
    const messages = Array.from({ length: 1100 }, (_, n) =>
      n % 2 ? new AIMessage(`a${n}`) : new HumanMessage(`u${n}`),
    );
    await o.history().addMessages(messages);
    await o.recorder.flush();
    expect((await o.history().getMessages()).map(({ content }) => content)).toEqual(
      messages.slice(100).map(({ content }) => content),
    );
  });

  it('reads with a client of the app’s', async () => {
    await using s = await served(() => recent(said));
    const client = new SynapClient({ apiKey: 'k', baseUrl: s.synap.url });
    const history = new SynapChatMessageHistory(s.recorder, { conversationId: 'chat', read: { client } });
    expect(await lines(history)).toEqual(['human: Hi', 'ai: Hello']);
    expect(s.synap.requests.at(-1)?.headers.authorization).toBe('Bearer k');
    await client.close();
    await expect(history.getMessages()).rejects.toBeInstanceOf(NetworkError);
  });

  it('is empty for a conversation that does not exist yet', async () => {
    await using s = await served(() => ({ status: 404, json: { detail: 'Conversation not found' } }));
    expect(await s.history.getMessages()).toEqual([]);
  });

  it.each<[string, Answer, abstract new (...args: never[]) => Error]>([
    ['no such routes', { status: 404, json: { detail: 'Not Found' } }, UnexpectedResponseError],
    ['a refused key', { status: 401, json: { detail: 'wrong key sk-secret' } }, AuthenticationError],
    ['an error', { status: 503, json: { detail: 'busy' } }, SynapError as never],
    ['a page', { text: '<html>' }, ServiceUnavailableError],
    ['no JSON', { text: 'Hello' }, UnexpectedResponseError],
    ['a broken connection', { reset: 'before storing' }, NetworkError],
  ])('rejects for %s, without the key or a text', async (_, answer, type) => {
    await using s = await served(() => answer);
    await s.history.addUserMessage('My secret');
    const error = await s.history.getMessages().catch(error => error);
    expect(error).toBeInstanceOf(type);
    expect(SynapError.is(error)).toBe(true);
    expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/sk-secret|My secret/);
  });

  it('rejects when nobody is there, or answers in time, or there is no key', async () => {
    await using s = await served(() => 'handled' as never, { timeoutMs: 50 });
    await expect(s.history.getMessages()).rejects.toBeInstanceOf(TimeoutError);
    const recorder = createRecorder({ enabled: false, userId: 'ada' });
    const at = (read: object) => new SynapChatMessageHistory(recorder, { conversationId: 'chat', read }).getMessages();
    await expect(at({ apiKey: 'k', baseUrl: 'http://127.0.0.1:1' })).rejects.toBeInstanceOf(NetworkError);
    await expect(at({ apiKey: ' ', baseUrl: s.synap.url })).rejects.toBeInstanceOf(AuthenticationError);
  });

  it('can be left out, so that it is what this process has seen', async () => {
    const history = new SynapChatMessageHistory(createRecorder({ enabled: false, userId: 'ada' }), {
      conversationId: 'chat',
      read: false,
    });
    await history.addMessages([new HumanMessage('Hi'), new AIMessage('Hello')]);
    expect(await lines(history)).toEqual(['human: Hi', 'ai: Hello']);
    expect(JSON.stringify(history)).not.toContain('Hello');
  });
});
