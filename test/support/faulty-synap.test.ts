// The faulty Synap of the tests does what it says.

import { describe, expect, it } from 'vitest';
import { NO_PROBLEMS, problemsOf } from './fault-checker.js';
import { evenly, FAULTS, type Fault, planOf } from './fault-schedule.js';
import { type FaultySynapOptions, faultySynap } from './faulty-synap.js';

const CHAT = '0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e';
const messageOf = (content: string, conversation_id = CHAT) => ({
  conversation_id,
  role: 'user',
  content,
  user_id: 'ada',
  metadata: { message_key: `key of ${content}` },
});

/** A Synap with one fault, always. */
const with1 = (fault: Fault, options: FaultySynapOptions = {}) =>
  faultySynap({ lateMs: 5, ...options, faults: { [fault]: 1 } });

function post(synap: { url: string }, contents: string[], timeoutMs = 5000) {
  const [only = ''] = contents;
  const [path, body] =
    contents.length === 1
      ? ['messages', messageOf(only)]
      : ['messages/batch', { messages: contents.map(content => messageOf(content)) }];
  return fetch(`${synap.url}/v1/conversations/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
}

const contents = (synap: { stored: readonly { message: { content: string } }[] }) =>
  synap.stored.map(({ message }) => message.content);

describe('a faulty Synap', () => {
  it('is a friendly one without faults', async () => {
    await using synap = await faultySynap();
    expect(await (await post(synap, ['a'])).json()).toMatchObject({ conversation_id: CHAT });
    expect(await (await post(synap, ['b', 'c'])).json()).toMatchObject({ total: 2, succeeded: 2, failed: 0 });
    expect(contents(synap)).toEqual(['a', 'b', 'c']);
    expect(synap.requests.map(({ outcome }) => outcome)).toEqual(['clear', 'clear']);
  });

  it('has the same faults for the same seed, others for another, and as many as their weights say', () => {
    const weights = evenly(FAULTS, 0.01);
    const run = (seed: number) => Array.from({ length: 5000 }, (_, index) => planOf(seed, index, weights));
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
    for (const fault of FAULTS) {
      const count = run(1).filter(plan => plan.fault === fault).length;
      expect(count, fault).toBeGreaterThan(20);
      expect(count, fault).toBeLessThan(80);
    }
  });

  it.each([
    ['late', 200, 'clear'],
    ['201', 201, 'clear'],
    ['204', 204, 'clear'],
    ['200 broken json', 200, 'clear'],
  ] as const)('takes messages with %s', async (fault, status, outcome) => {
    await using synap = await with1(fault);
    const response = await post(synap, ['a', 'b']);
    expect(response.status).toBe(status);
    await response.text();
    expect(contents(synap)).toEqual(['a', 'b']);
    expect(synap.requests[0]).toMatchObject({ fault, status, outcome });
  });

  it.each(['429 seconds', '429 date', '429 bare', '401', '402'] as const)('takes nothing with %s', async fault => {
    await using synap = await with1(fault);
    const response = await post(synap, ['a']);
    expect(response.status).toBe(Number.parseInt(fault, 10));
    const wait = response.headers.get('retry-after');
    if (fault === '429 seconds') expect(wait).toBe('1');
    if (fault === '429 date') expect(Date.parse(wait ?? '')).toBeGreaterThan(Date.now() - 60_000);
    if (fault === '429 bare') expect(wait).toBeNull();
    await response.text();
    expect(synap.stored).toEqual([]);
    expect(synap.requests[0]?.outcome).toBe('clear');
  });

  it.each(['500', '502 html', '503', 'wrong count'] as const)('leaves open with %s what it stored', async fault => {
    await using synap = await with1(fault);
    for (let n = 0; n < 20; n++) await (await post(synap, [`a${n}`, `b${n}`])).text();
    expect(synap.requests.every(({ outcome }) => outcome === 'unclear')).toBe(true);
    expect(synap.stored.length).toBeGreaterThan(0);
    expect(synap.stored.length).toBeLessThan(40);
  });

  it.each([
    ['closed before reading', []],
    ['closed after reading', []],
    ['closed after storing', ['a', 'b']],
    ['closed in answer', ['a', 'b']],
  ] as const)('is %s', async (fault, stored) => {
    await using synap = await with1(fault);
    await expect(post(synap, ['a', 'b']).then(response => response.text())).rejects.toThrow(/failed|terminated/);
    expect(contents(synap)).toEqual(stored);
    expect(synap.requests[0]).toMatchObject({ outcome: 'unclear', status: undefined });
  });

  it.each(['drip', 'silent'] as const)('keeps its client waiting with %s', async fault => {
    await using synap = await with1(fault, { dripMs: 1000 });
    await expect(post(synap, ['a', 'b'], 300).then(response => response.text())).rejects.toThrow('timeout');
    expect(synap.requests[0]).toMatchObject({ outcome: 'unclear', status: undefined });
  });

  it('refuses some of a batch, and nothing is stored behind a refused message of its conversation', async () => {
    await using synap = await with1('partial');
    const requested = Array.from({ length: 20 }, (_, n) => `m${n}`);
    const { results, failed } = (await (await post(synap, requested)).json()) as {
      failed: number;
      results: { error?: string }[];
    };
    expect(failed).toBeGreaterThan(0);
    expect(contents(synap)).toEqual(requested.slice(0, 20 - failed));
    expect(results.map(({ error }) => error !== undefined)).toEqual(requested.map((_, n) => n >= 20 - failed));
  });

  it('is poisoned by content, and limited by number', async () => {
    await using synap = await faultySynap({ poison: [{ marker: 'bad', status: 422 }], maxMessages: 2 });
    expect((await post(synap, ['a', 'is bad'])).status).toBe(422);
    expect((await post(synap, ['a', 'b', 'c'])).status).toBe(413);
    expect((await post(synap, ['a', 'b'])).status).toBe(200);
    expect(contents(synap)).toEqual(['a', 'b']);
  });

  it('heals, goes down, and comes up again where it was', async () => {
    await using synap = await with1('500');
    expect((await post(synap, ['a'])).status).toBe(500);
    synap.faults = false;
    expect((await post(synap, ['b'])).status).toBe(200);
    await synap.down();
    await expect(post(synap, ['c'])).rejects.toThrow('fetch failed');
    await synap.up();
    expect((await post(synap, ['d'])).status).toBe(200);
  });
});

describe('the checker', () => {
  const said = ['a', 'b', 'c'].map(content => ({ conversationId: CHAT, content }));

  it('finds nothing wrong with what is once, in order', async () => {
    await using synap = await faultySynap();
    await (await post(synap, ['a', 'b', 'c'])).text();
    expect(problemsOf(said, synap)).toEqual(NO_PROBLEMS);
  });

  it('finds what is missing, and what nobody said', async () => {
    await using synap = await faultySynap();
    await (await post(synap, ['a', 'c', 'x'])).text();
    expect(problemsOf(said, synap)).toEqual({ ...NO_PROBLEMS, missing: ['b'], foreign: ['x'] });
  });

  it('finds what is out of order', async () => {
    await using synap = await faultySynap();
    await (await post(synap, ['a', 'c', 'b'])).text();
    expect(problemsOf(said, synap)).toEqual({ ...NO_PROBLEMS, outOfOrder: ['b'] });
  });

  it('allows a message twice after an unclear answer only', async () => {
    await using synap = await with1('closed after storing');
    await post(synap, ['a', 'b']).catch(() => {});
    synap.faults = false;
    await (await post(synap, ['a', 'b'])).text();
    await (await post(synap, ['c'])).text();
    expect(problemsOf(said, synap)).toEqual(NO_PROBLEMS);
    synap.faults = { '503': 1 };
    await (await post(synap, ['b', 'c'])).text();
    expect(problemsOf(said, synap)).toEqual({ ...NO_PROBLEMS, sentAgain: ['b', 'c'] });
  });

  it('finds a message under two keys, and two under one', async () => {
    await using synap = await faultySynap();
    const send = async (content: string, key: string) => {
      const body = JSON.stringify({ ...messageOf(content), metadata: { message_key: key } });
      await (await fetch(`${synap.url}/v1/conversations/messages`, { method: 'POST', body })).text();
    };
    await send('a', 'one');
    await send('b', 'two');
    await send('b', 'three');
    await send('c', 'one');
    expect(problemsOf(said, synap).keys).toEqual(['b', 'c']);
  });
});
