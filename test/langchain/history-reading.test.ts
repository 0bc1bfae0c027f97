import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import {
  AuthenticationError,
  createRecorder,
  NetworkError,
  ServiceUnavailableError,
  SynapError,
  TimeoutError,
  UnexpectedResponseError,
} from '../../src/index.js';
import { SynapChatMessageHistory } from '../../src/langchain/index.js';
import { type Answer, type SeenRequest, scriptedSynap } from '../support/scripted-synap.js';
import { lines, on } from './history-support.js';

describe('reading a history', () => {
  it('reads all pages', async () => {
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
  const context = (json: unknown) => (request: SeenRequest) =>
    request.path.endsWith('/context-for-prompt') ? { json } : { status: 404, json: { detail: 'Not Found' } };
  const said = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
  ];

  it.each([
    ['a list', said],
    ['messages', { messages: said }],
    ['recent messages in a context', { context: { recent_messages: said } }],
    [
      'LangChain’s roles',
      {
        messages: [
          { role: 'human', content: 'Hi' },
          { role: 'ai', content: 'Hello' },
        ],
      },
    ],
  ])('falls back to context-for-prompt, which may give %s', async (_, json) => {
    await using s = await served(context(json));
    expect(await lines(s.history)).toEqual(['human: Hi', 'ai: Hello']);
  });

  it('takes a text of context-for-prompt as one system message, with what it does not hold after it', async () => {
    await using s = await served(context({ formatted_context: 'Ada said Hi.' }));
    await s.history.addUserMessage('Why?');
    expect(await lines(s.history)).toEqual(['system: Ada said Hi.', 'human: Why?']);
  });

  it('knows a message by its words where the server names no turns', async () => {
    let stored: object[] = said;
    await using s = await served(() => ({ json: { messages: stored } }));
    await s.history.addMessages([new HumanMessage('Why?'), new AIMessage('Because.')]);
    expect(await lines(s.history)).toEqual(['human: Hi', 'ai: Hello', 'human: Why?', 'ai: Because.']);
    stored = [...said, { role: 'user', content: 'Why?' }];
    expect(await lines(s.history)).toEqual(['human: Hi', 'ai: Hello', 'human: Why?', 'ai: Because.']);
    await s.recorder.flush();
    stored = [{ role: 'assistant', content: 'A summary' }];
    expect(await lines(s.history)).toEqual(['ai: A summary']);
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
