import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { balanced, recorderOn } from '../support/recorder.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const VERCEL = Symbol.for('@vercel/request-context');

afterEach(() => {
  Reflect.deleteProperty(globalThis, VERCEL);
});

/** Loaded into a process, it lets no wait of a second or more come to its end. */
const NEVER = `data:text/javascript,${encodeURIComponent(`
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (call, ms, ...rest) => setTimeout(call, ms < 1000 ? ms : 2 ** 31 - 1, ...rest);
`)}`;

/** A process that has recorded one message of a turn, says so, and then waits for what comes. */
function app(url: string, options = '', rest = '', flags: string[] = []) {
  const child = spawn(
    process.execPath,
    [
      ...flags,
      '--input-type=module',
      '--eval',
      `import { createRecorder } from './dist/index.js';
       const recorder = createRecorder({ apiKey: 'k', baseUrl: '${url}', userId: 'ada', ${options} });
       recorder.turn({ conversationId: 'c' }).user('Hi');
       ${rest}
       setInterval(() => {}, 1000);
       console.log('ready');`,
    ],
    { cwd: ROOT, timeout: 100_000, killSignal: 'SIGKILL' },
  );
  return { child, ready: new Promise(resolve => child.stdout.once('data', resolve)), ended: ended(child) };
}

const ended = (child: ChildProcess) =>
  new Promise<{ code: number | null; signal: string | null }>(resolve =>
    child.on('exit', (code, signal) => resolve({ code, signal })),
  );

describe('signals', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s delivers what waits and then ends the process by itself',
    async signal => {
      await using on = await recorderOn();
      const { child, ready, ended } = app(on.synap.url, 'closeOnSignals: true');
      await ready;
      child.kill(signal);
      expect(await ended).toEqual({ code: null, signal });
      expect(on.synap.stored).toHaveLength(1);
    },
  );

  it('are left alone by default', async () => {
    await using on = await recorderOn();
    const { child, ready, ended } = app(on.synap.url);
    await ready;
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: null, signal: 'SIGTERM' });
    expect(on.synap.stored).toEqual([]);
  });

  it('that the app listens to are flushed for, and end what the app ends', async () => {
    await using on = await recorderOn();
    const { child, ready, ended } = app(
      on.synap.url,
      'closeOnSignals: true',
      `process.once('SIGTERM', async () => {
         while (recorder.stats().delivered === 0) await new Promise(setImmediate);
         recorder.turn({ conversationId: 'c' }).user('One more');
         await recorder.close();
         process.exit(7);
       });`,
    );
    await ready;
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 7, signal: null });
    expect(on.synap.stored.map(message => message.content)).toEqual(['Hi', 'One more']);
  });

  it('that come twice do not wait for a Synap that does not answer', async () => {
    await using on = await recorderOn(() => 'handled');
    const { child, ready, ended } = app(on.synap.url, 'closeOnSignals: ["SIGTERM"]', '', ['--import', NEVER]);
    await ready;
    child.kill('SIGTERM');
    await expect.poll(() => on.synap.requests.length).toBe(1);
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('drain every recorder of the process', async () => {
    await using on = await recorderOn();
    const { child, ready, ended } = app(
      on.synap.url,
      'closeOnSignals: true',
      `const other = createRecorder({ apiKey: 'k', baseUrl: '${on.synap.url}', userId: 'bob', closeOnSignals: true });
       other.turn({ conversationId: 'd' }).user('Hello');`,
    );
    await ready;
    child.kill('SIGTERM');
    await ended;
    expect(on.synap.stored.map(message => message.content).sort()).toEqual(['Hello', 'Hi']);
  });
});

describe('waitUntil', () => {
  it('is given a promise from the first moment of a turn, which waits until its end is delivered', async () => {
    const waiting: Promise<unknown>[] = [];
    await using on = await recorderOn(undefined, {
      batch: { lingerMs: 60_000 },
      waitUntil: promise => void waiting.push(promise),
    });
    const turn = on.recorder.turn();
    expect(waiting).toHaveLength(1);
    turn.user('Hi');
    turn.complete({ content: 'Hello' });
    await Promise.all(waiting);
    expect(on.synap.stored.map(message => message.content)).toEqual(['Hi', 'Hello']);
  });

  it('is found by itself on Vercel, for the request under way', async () => {
    const waiting: Promise<unknown>[] = [];
    Object.assign(globalThis, {
      [VERCEL]: { get: () => ({ waitUntil: (promise: Promise<unknown>) => void waiting.push(promise) }) },
    });
    await using on = await recorderOn(undefined, { batch: { lingerMs: 60_000 } });
    const turn = on.recorder.turn();
    turn.user('Hi');
    turn.complete({ content: 'Hello' });
    expect(waiting).toHaveLength(1);
    await Promise.all(waiting);
    expect(on.synap.stored).toHaveLength(2);
  });

  it.each([
    ['is down', { reset: 'before storing' as const }],
    ['answers 503', { status: 503 }],
  ])('is not kept waiting by a Synap that %s, and what is left is sent when it is back', async (_, answer) => {
    let isDown = true;
    const waiting: Promise<unknown>[] = [];
    await using on = await recorderOn(() => (isDown ? answer : undefined), {
      retry: { baseMs: 200, maxMs: 2000 },
      waitUntil: promise => void waiting.push(promise),
    });
    const say = (content: string) => {
      const turn = on.recorder.turn({ conversationId: 'c' });
      turn.user(content);
      turn.complete({ content: `${content}!` });
      return Promise.all(waiting);
    };
    await say('Hi');
    await say('Still there');
    expect(on.synap.stored).toEqual([]);
    expect(on.log.filter(line => line.includes('not delivered'))).toEqual([
      expect.stringContaining(
        '2 messages are not delivered, and the platform is asked to wait no longer; kept in memory as long as the process lives',
      ),
    ]);
    isDown = false;
    await expect
      .poll(() => new Set(on.synap.stored.map(message => message.content)))
      .toEqual(new Set(['Hi', 'Hi!', 'Still there', 'Still there!']));
    expect(on.losses).toEqual([]);
  });

  it('waits on while Synap only asks to slow down', async () => {
    const waiting: Promise<unknown>[] = [];
    await using on = await recorderOn(
      (_, index) => (index === 0 ? { status: 429, headers: { 'retry-after': '1' } } : undefined),
      { waitUntil: promise => void waiting.push(promise) },
    );
    const turn = on.recorder.turn();
    turn.user('Hi');
    turn.complete({ content: 'Hello' });
    await Promise.all(waiting);
    expect(on.synap.stored).toHaveLength(2);
  });

  it('that throws does not reach the app', async () => {
    await using on = await recorderOn(undefined, {
      waitUntil: () => {
        throw new Error('outside of a request');
      },
    });
    on.recorder.turn().user('Hi');
    await on.recorder.flush();
    expect(on.synap.stored).toHaveLength(1);
    expect(on.log).toEqual([expect.stringContaining('waitUntil threw'), expect.anything()].slice(0, on.log.length));
  });
});

describe('turn.accepted', () => {
  it('says how many messages were accepted, and why the others were not', async () => {
    await using on = await recorderOn(undefined, {
      redact: async message => (message.content.includes('secret') ? null : message),
    });
    const turn = on.recorder.turn();
    turn.user('Hi');
    turn.complete({ content: 'a secret' });
    expect(await turn.accepted).toEqual({ accepted: 1, lost: ['redacted'] });
    expect(balanced(on.recorder)).toMatchObject({ accepted: 1, refused: { redacted: 1 } });
  });

  it('says that a full outbox has taken none of a turn', async () => {
    const { memoryOutbox } = await import('../../src/index.js');
    await using on = await recorderOn(() => 'handled', { outbox: memoryOutbox({ maxMessages: 1 }) });
    on.recorder.turn().user('Hi');
    const turn = on.recorder.turn();
    turn.user('Hi');
    turn.complete({ content: 'Hello' });
    expect(await turn.accepted).toEqual({ accepted: 0, lost: ['outbox_full', 'outbox_full'] });
  });
});
