import { randomUUID } from 'node:crypto';
import type { Client } from '@langchain/langgraph-sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lineOf } from '../../langchain/support.js';
import { type LanggraphServer, langgraphServer } from './langgraph-server.js';

let server: LanggraphServer;
let client: Client;

beforeAll(async () => {
  server = await langgraphServer({ signIn: false });
  client = server.client();
});

afterAll(() => server[Symbol.asyncDispose]());

const echo = ({ messages }: { messages: { content: unknown }[] }) => ({
  text: ['Re: ', String(messages.at(-1)?.content)],
});

beforeEach(() => server.answers(echo));

const said = (content: string, id?: string) => ({ messages: [{ role: 'user', content, ...(id && { id }) }] });

const thread = async () => (await client.threads.create()).thread_id;

/** What was seen of each conversation. */
const seen = new Map<string, string[]>();

/** What was recorded in a thread's conversation, once it has `count` messages; each is one of the guest's. */
async function recorded(threadId: string, count: number) {
  const ofIt = () => server.synap.stored.filter(({ conversation_id }) => conversation_id === threadId);
  await expect.poll(() => ofIt().length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count);
  expect(new Set(ofIt().map(({ user_id }) => user_id))).toEqual(new Set(['guest']));
  const lines = ofIt().map(lineOf);
  seen.set(threadId, lines);
  return lines;
}

/** The model speaks for ever, word by word. */
function speakSlowly() {
  server.answers(({ messages }) => {
    const { text } = echo({ messages });
    const isSlow = text.join('').includes('Slow');
    return isSlow ? { text: Array.from({ length: 500 }, (_, index) => `${index} `), delayMs: 20 } : { text };
  });
}

/** Waits until a run has said something. Its first piece is empty. */
async function hasSpoken(threadId: string, runId: string) {
  for await (const { event, data } of client.runs.joinStream(threadId, runId))
    if (event.startsWith('messages') && (data as { content?: string }[])[0]?.content) return;
}

describe('a run on LangGraph’s server', () => {
  it('is recorded once, each turn of a thread in its order', async () => {
    const id = await thread();
    await client.runs.wait(id, 'chat', { input: said('Hi') });
    await client.runs.wait(id, 'chat', { input: said('And?') });
    expect(await recorded(id, 4)).toEqual(['user: Hi', 'assistant: Re: Hi', 'user: And?', 'assistant: Re: And?']);
    expect(server.synap.stored.at(-1)?.metadata).toMatchObject({ model: 'gpt-5-mini', finish_reason: 'stop' });
  });

  it.each(['values', 'updates', 'messages', 'messages-tuple', 'events', 'debug', 'custom'] as const)(
    'is recorded once when it is streamed as %s',
    async streamMode => {
      const id = await thread();
      for await (const _ of client.runs.stream(id, 'chat', { input: said('Hi'), streamMode }));
      expect(await recorded(id, 2)).toEqual(['user: Hi', 'assistant: Re: Hi']);
    },
  );

  it('is recorded once when it is started on the stream of its thread', async () => {
    const id = await thread();
    const stream = client.threads.stream(id, { assistantId: 'chat' });
    await stream.run.start({ input: said('Hi') });
    await stream.output;
    await stream.close();
    expect(await recorded(id, 2)).toEqual(['user: Hi', 'assistant: Re: Hi']);
  });

  it('is recorded once in the background, joined or not', async () => {
    const id = await thread();
    const { run_id } = await client.runs.create(id, 'chat', { input: said('Hi') });
    await client.runs.join(id, run_id);
    await client.runs.create(id, 'chat', { input: said('And?') });
    expect(await recorded(id, 4)).toEqual(['user: Hi', 'assistant: Re: Hi', 'user: And?', 'assistant: Re: And?']);
  });

  it('is recorded when its reader leaves', async () => {
    const id = await thread();
    server.answers(() => ({ text: ['One ', 'two ', 'three'], delayMs: 50 }));
    for await (const { event } of client.runs.stream(id, 'chat', { input: said('Hi'), streamMode: 'messages-tuple' }))
      if (event.startsWith('messages')) break;
    expect(await recorded(id, 2)).toEqual(['user: Hi', 'assistant: One two three']);
  });

  it('is recorded as aborted with what it said when it is cancelled', async () => {
    const id = await thread();
    speakSlowly();
    const { run_id } = await client.runs.create(id, 'chat', {
      input: said('Slow'),
      streamMode: 'messages-tuple',
    });
    await hasSpoken(id, run_id);
    await client.runs.cancel(id, run_id, true);
    const [user, answer, ...more] = await recorded(id, 2);
    expect(user).toBe('user: Slow');
    expect(answer).toMatch(/^assistant \(aborted\): 0 /);
    expect(more).toEqual([]);
  });

  it('is recorded without an answer when it fails', async () => {
    const id = await thread();
    server.answers(() => ({ status: 400 }));
    await client.runs.wait(id, 'chat', { input: said('Hi') }).catch(() => {});
    expect(await recorded(id, 1)).toEqual(['user: Hi']);
  });
});

describe('a second message while a run is under way', () => {
  it('is not recorded where it is rejected', async () => {
    const id = await thread();
    server.answers(request => ({ ...echo(request), delayMs: 300 }));
    const { run_id } = await client.runs.create(id, 'chat', { input: said('One'), streamMode: 'messages-tuple' });
    await hasSpoken(id, run_id);
    const rejected = client.runs.create(id, 'chat', { input: said('Two'), multitaskStrategy: 'reject' });
    await expect(rejected).rejects.toThrow('422');
    await client.runs.join(id, run_id);
    expect(await recorded(id, 2)).toEqual(['user: One', 'assistant: Re: One']);
  });

  it('is recorded after the first answer where it waits', async () => {
    const id = await thread();
    server.answers(request => ({ ...echo(request), delayMs: 100 }));
    await client.runs.create(id, 'chat', { input: said('One') });
    await client.runs.create(id, 'chat', { input: said('Two'), multitaskStrategy: 'enqueue' });
    expect(await recorded(id, 4)).toEqual(['user: One', 'assistant: Re: One', 'user: Two', 'assistant: Re: Two']);
  });

  const stops = async (multitaskStrategy: 'interrupt' | 'rollback') => {
    const id = await thread();
    speakSlowly();
    const { run_id } = await client.runs.create(id, 'chat', { input: said('Slow'), streamMode: 'messages-tuple' });
    await hasSpoken(id, run_id);
    await client.runs.create(id, 'chat', { input: said('And?'), multitaskStrategy });
    expect(await recorded(id, 4)).toEqual([
      'user: Slow',
      expect.stringMatching(/^assistant \(aborted\): 0 /),
      'user: And?',
      'assistant: Re: And?',
    ]);
  };

  it('is recorded after what the first one said, where it interrupts that', () => stops('interrupt'));
  it('is recorded after what the first one said, where it rolls that back', () => stops('rollback'));
});

describe('a run that asks', () => {
  it('records the words that it is resumed with', async () => {
    const id = await thread();
    await client.runs.wait(id, 'ask', { input: said('Weather?') });
    await client.runs.wait(id, 'ask', { command: { resume: 'In Paris' } });
    expect(await recorded(id, 3)).toEqual(['user: Weather?', 'user: In Paris', 'assistant: Re: In Paris']);
  });

  it('records no message of an approval without words', async () => {
    const id = await thread();
    await client.runs.wait(id, 'ask', { input: said('Delete it?') });
    await client.runs.wait(id, 'ask', { command: { resume: { approved: true } } });
    expect(await recorded(id, 2)).toEqual(['user: Delete it?', 'assistant: Re: Delete it?']);
  });

  it('records words that the state was updated with', async () => {
    const id = await thread();
    await client.runs.wait(id, 'ask', { input: said('Weather?') });
    await client.threads.updateState(id, { values: said('In Paris'), asNode: 'approve' });
    await client.runs.wait(id, 'ask', { input: null });
    expect(await recorded(id, 3)).toEqual(['user: Weather?', 'user: In Paris', 'assistant: Re: In Paris']);
  });
});

describe('a thread that goes back', () => {
  /** The checkpoint that a message was put into. */
  async function before(id: string, content: string) {
    const states = await client.threads.getHistory<{ messages: { content: string }[] }>(id);
    const state = states.find(
      ({ next, values }) => next[0] === 'answer' && values.messages.at(-1)?.content === content,
    );
    return state?.checkpoint;
  }

  it('records an edited question and its answer', async () => {
    const id = await thread();
    const messageId = randomUUID();
    await client.runs.wait(id, 'chat', { input: said('Weather in Rome?', messageId) });
    const start = (await client.threads.getHistory(id)).at(-1)?.checkpoint;
    await client.runs.wait(id, 'chat', {
      input: said('Weather in Paris?', messageId),
      ...(start && { checkpoint: start }),
    });
    expect(await recorded(id, 4)).toEqual([
      'user: Weather in Rome?',
      'assistant: Re: Weather in Rome?',
      'user: Weather in Paris?',
      'assistant: Re: Weather in Paris?',
    ]);
  });

  it('records a regenerated answer under the question that stands', async () => {
    const id = await thread();
    let answers = 0;
    server.answers(() => ({ text: `Answer ${++answers}` }));
    await client.runs.wait(id, 'chat', { input: said('Hi') });
    const checkpoint = await before(id, 'Hi');
    expect(checkpoint).toBeDefined();
    await client.runs.wait(id, 'chat', { input: null, ...(checkpoint && { checkpoint }) });
    expect(await recorded(id, 3)).toEqual(['user: Hi', 'assistant: Answer 1', 'assistant: Answer 2']);
  });
});

it('a user who is named in the configurable, by a trusted client, is whom a graph without a factory is recorded for', async () => {
  const id = await thread();
  await client.runs.wait(id, 'plain', { input: said('Hi'), config: { configurable: { user_id: 'bob' } } });
  const ofIt = () => server.synap.stored.filter(({ conversation_id }) => conversation_id === id);
  await expect.poll(() => ofIt().map(({ user_id }) => user_id)).toEqual(['bob', 'bob']);
});

it('nothing was recorded twice, and nothing late', () => {
  for (const [id, lines] of seen)
    expect(server.synap.stored.filter(({ conversation_id }) => conversation_id === id).map(lineOf)).toEqual(lines);
});
