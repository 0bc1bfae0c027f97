import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { scriptedSynap } from '../support/scripted-synap.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface App {
  /** Runs before the recorder is made. */
  before?: string;
  /** Options of the recorder. */
  options?: string;
  /** Runs after the recorder is made and has recorded a message. */
  after?: string;
  /** What is sent to it once it is ready, or whenever it says `again`. */
  signals?: NodeJS.Signals[];
}

/** An app that stays, as a server does, and says how it ended and what it printed. */
function runApp(url: string | undefined, { before = '', options = 'closeOnSignals: true', after = '', signals }: App) {
  const record = `const { createRecorder } = await import('./dist/index.js');
    const makeRecorder = options =>
      createRecorder({ apiKey: 'k', baseUrl: '${url}', userId: 'ada', conversationId: 'c', batch: { lingerMs: 60_000 }, ...options });
    const recorder = makeRecorder({ ${options} });
    recorder.turn().user('Hi');
    const delivered = async () => {
      while (recorder.stats().accepted > recorder.stats().delivered) await wait(5);
    };`;
  const without = `const recorder = { turn: () => ({ user() {}, complete() {} }), close: async () => {} };
    const makeRecorder = () => recorder;
    const delivered = async () => {};`;
  const program = `const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
    const stays = setInterval(() => {}, 1000);
    ${before}
    ${url === undefined ? without : record}
    ${after}
    console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: ROOT,
    env: { ...process.env, SYNAP: url },
  });
  return Object.assign(ended(child, signals), { child });
}

async function ended(child: ChildProcessWithoutNullStreams, signals: NodeJS.Signals[] = []) {
  const kill = setTimeout(() => child.kill('SIGKILL'), 15_000);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text;
  });
  const queue = [...signals];
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    for (const line of text.split('\n').filter(Boolean)) {
      if (line !== 'ready' && line !== 'again') stdout += `${line}\n`;
      const signal = line === 'ready' || line === 'again' ? queue.shift() : undefined;
      if (signal) child.kill(signal);
    }
  });
  const end = await new Promise<{ code: number | null; signal: string | null }>(resolve =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  clearTimeout(kill);
  return { end: { ...end, stdout }, stderr };
}

/** Runs an app without and with a recorder, expects the same end, and answers what Synap was told. */
async function expectSameEnd(app: App, end: { code: number } | { signal: string }) {
  await using synap = await scriptedSynap();
  const [without, recorded] = await Promise.all([runApp(undefined, app), runApp(synap.url, app)]);
  expect(without.end).toMatchObject(end);
  expect(recorded.end).toEqual(without.end);
  return { said: synap.stored.map(message => message.content), stderr: recorded.stderr };
}

const SIGNAL_EXIT_3 = `process.__signal_exit_emitter__ = { count: 1 };
  process.on('SIGTERM', function listener() {
    if (process.listeners('SIGTERM').length !== process.__signal_exit_emitter__.count) return;
    process.off('SIGTERM', listener);
    process.__signal_exit_emitter__.count--;
    console.log('hooks of signal-exit');
    process.kill(process.pid, 'SIGTERM');
  });`;

const ends: [name: string, end: { code: number } | { signal: string }, app: App][] = [
  ['nobody listens to', { signal: 'SIGTERM' }, {}],
  ['signal-exit listens to, loaded before', { signal: 'SIGTERM' }, { before: SIGNAL_EXIT_3 }],
  ['signal-exit listens to, loaded later', { signal: 'SIGTERM' }, { after: SIGNAL_EXIT_3 }],
  [
    'the app ends by an exit code, with signal-exit beside it',
    { code: 7 },
    { before: SIGNAL_EXIT_3, after: `process.on('SIGTERM', async () => { await delivered(); process.exit(7); });` },
  ],
  [
    'the app raises again at once',
    { signal: 'SIGTERM' },
    { after: `process.once('SIGTERM', signal => process.kill(process.pid, signal));` },
  ],
  [
    'the app raises again later, as NestJS does',
    { signal: 'SIGTERM' },
    {
      after: `process.on('SIGTERM', async function cleanup(signal) {
        await wait(200);
        console.log('cleaned up');
        process.removeListener(signal, cleanup);
        process.kill(process.pid, signal);
      });`,
    },
  ],
  [
    'a listener that runs once, ahead of ours, takes its time over',
    { code: 3 },
    {
      after: `process.prependOnceListener('SIGTERM', async () => { await wait(300); await delivered(); process.exit(3); });`,
    },
  ],
  [
    'a listener that removes itself first takes its time over',
    { code: 3 },
    {
      before: `process.on('SIGTERM', async function end() {
        process.off('SIGTERM', end);
        await wait(300);
        await delivered();
        process.exit(3);
      });`,
    },
  ],
  [
    'the app no longer listens to',
    { signal: 'SIGTERM' },
    { before: `const end = () => {}; process.on('SIGTERM', end);`, after: `process.off('SIGTERM', end);` },
  ],
  [
    'a server closes at, so that the process ends by itself',
    { code: 5 },
    { after: `process.on('SIGTERM', () => { process.exitCode = 5; clearInterval(stays); });` },
  ],
  ['the app has set an exit code before', { signal: 'SIGTERM' }, { after: 'process.exitCode = 3;' }],
  [
    'is of a list of the app’s own',
    { signal: 'SIGHUP' },
    { options: `closeOnSignals: ['SIGHUP', 'SIGKILL', 'SIGNONE']`, signals: ['SIGHUP'] },
  ],
  [
    'has several recorders',
    { signal: 'SIGTERM' },
    { after: `makeRecorder({ closeOnSignals: true }).turn().user('Hi, too');` },
  ],
  ['comes when the recorder was closed', { signal: 'SIGTERM' }, { after: `await recorder.close();` }],
  [
    'comes while another recorder closes',
    { signal: 'SIGTERM' },
    { after: `makeRecorder({ closeOnSignals: true }).close();` },
  ],
];

// They wait more than they work.
describe.concurrent('a signal', () => {
  it.each(ends)('that %s ends the process as without a recorder, and what waits is delivered', async (_, end, app) => {
    const { said, stderr } = await expectSameEnd({ signals: ['SIGTERM'], ...app }, end);
    expect(said).toContain('Hi');
    expect(stderr).toBe('');
  });

  it('that two copies of this package listen to ends the process when both have delivered', async () => {
    const copy = await mkdtemp(join(ROOT, 'node_modules/.copy-'));
    try {
      for (const part of ['dist', 'package.json']) await cp(join(ROOT, part), join(copy, part), { recursive: true });
      const after = `const { createRecorder: createCopy } = await import('${copy}/dist/index.js');
        if (recorder.stats) {
          const other = createCopy({ apiKey: 'k', baseUrl: process.env.SYNAP, userId: 'ada', closeOnSignals: true });
          other.turn({ conversationId: 'd' }).user('Hi, copy');
        }`;
      const { said, stderr } = await expectSameEnd({ after, signals: ['SIGTERM'] }, { signal: 'SIGTERM' });
      expect(said.sort()).toEqual(['Hi', 'Hi, copy']);
      expect(stderr).toBe('');
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  });

  it('that the app raises again after its last answer does not lose that answer', async () => {
    const after = `const turn = recorder.turn();
      process.once('SIGTERM', async signal => {
        await wait(100);
        turn.complete({ content: 'Hello' });
        process.kill(process.pid, signal);
      });`;
    const { said } = await expectSameEnd({ after, signals: ['SIGTERM'] }, { signal: 'SIGTERM' });
    expect(said).toEqual(['Hi', 'Hello']);
  });

  it('that the app puts to another use ends nothing, and later ones are still drained for', async () => {
    const after = `const cancel = () => console.log('cancelled');
      process.on('SIGINT', cancel);
      process.once('SIGINT', async () => {
        await delivered();
        process.off('SIGINT', cancel);
        recorder.turn().user('And now?');
        console.log('again');
      });`;
    const { said } = await expectSameEnd({ after, signals: ['SIGINT', 'SIGINT'] }, { signal: 'SIGINT' });
    expect(said).toEqual(['Hi', 'And now?']);
  });

  it('that the app emits by hand ends nothing that it would not have ended', async () => {
    const after = `process.emit('SIGTERM');
      process.emit('SIGTERM', 'SIGTERM');
      await wait(500);
      process.exit(6);`;
    await expectSameEnd({ after }, { code: 6 });
  });

  it.each([
    ['throws', `process.kill = () => { throw new Error('not permitted'); };`],
    ['does nothing', 'process.kill = () => true;'],
  ])('ends the process also where process.kill %s', async (_, before) => {
    await using synap = await scriptedSynap();
    const { end } = await runApp(synap.url, { before, signals: ['SIGTERM'] });
    expect(end).toMatchObject({ code: 143, signal: null });
    expect(synap.stored).toHaveLength(1);
  });

  it('ends the process also when its recorder was garbage-collected', async () => {
    const after = `(await import('node:v8')).setFlagsFromString('--expose-gc');
      const gc = (await import('node:vm')).runInNewContext('gc');
      await recorder.close();
      for (let n = 0; n < 5; n++) {
        makeRecorder({ closeOnSignals: true });
        gc();
        await wait(10);
      }`;
    await expectSameEnd({ after, signals: ['SIGTERM'] }, { signal: 'SIGTERM' });
  });

  it('ends a process with a recorder in a worker thread, too', async () => {
    await using synap = await scriptedSynap();
    const worker = `import { createRecorder } from 'file://${ROOT}dist/index.js';
      import { parentPort } from 'node:worker_threads';
      createRecorder({ apiKey: 'k', closeOnSignals: true });
      setInterval(() => {}, 1000);
      parentPort.postMessage('ready');`;
    const after = `const { Worker } = await import('node:worker_threads');
      const worker = new Worker(new URL(${JSON.stringify(`data:text/javascript,${encodeURIComponent(worker)}`)}));
      await new Promise(resolve => worker.once('message', resolve));`;
    const { end, stderr } = await runApp(synap.url, { after, signals: ['SIGTERM'] });
    expect({ ...end, stderr }).toMatchObject({ signal: 'SIGTERM', stderr: '' });
    expect(synap.stored).toHaveLength(1);
  });

  it('that comes twice at once, as by npm, is not taken for impatience', async () => {
    await using synap = await scriptedSynap();
    const after = `await recorder.flush();
      recorder.turn().user('Hi, too');
      setTimeout(() => process.kill(process.pid, 'SIGINT'));
      process.kill(process.pid, 'SIGINT');`;
    const { end, stderr } = await runApp(synap.url, { after });
    expect({ ...end, stderr }).toMatchObject({ signal: 'SIGINT', stderr: '' });
    expect(synap.stored).toHaveLength(2);
  });

  it('that comes again ends the process, whatever Synap does', async () => {
    await using synap = await scriptedSynap(() => 'handled');
    const running = runApp(synap.url, { signals: ['SIGINT'] });
    await expect.poll(() => synap.requests.length).toBe(1);
    const started = performance.now();
    running.child.kill('SIGTERM');
    const { end, stderr } = await running;
    expect(end).toMatchObject({ signal: 'SIGINT' });
    expect(stderr).toContain('closed with 1 message that may be lost');
    expect(performance.now() - started).toBeLessThan(4000);
  });

  it('is not paced: what waits goes at once, until Synap asks to slow down', async () => {
    await using synap = await scriptedSynap();
    const options = `closeOnSignals: true, rateLimit: { requestsPerMinute: 1, burst: 1 }, batch: { maxMessages: 1, lingerMs: 60_000 }`;
    const after = `for (const text of ['a', 'b', 'c']) recorder.turn({ conversationId: text }).user(text);
      await wait(50);`;
    const { end } = await runApp(synap.url, { options, after, signals: ['SIGTERM'] });
    expect(end).toMatchObject({ signal: 'SIGTERM' });
    expect(synap.stored.map(message => message.content)).toEqual(['Hi', 'a', 'b', 'c']);
  });

  it('that the app raises again while Synap does not answer ends the process in time', async () => {
    await using synap = await scriptedSynap(() => 'handled');
    const after = `process.once('SIGTERM', signal => process.kill(process.pid, signal));`;
    const started = performance.now();
    const { end, stderr } = await runApp(synap.url, { after, signals: ['SIGTERM'] });
    expect(end).toMatchObject({ signal: 'SIGTERM' });
    expect(performance.now() - started).toBeLessThan(12_000);
    expect(stderr).toContain('closed with 1 message that may be lost: a request with it was under way');
  });
});

describe.concurrent('a process', () => {
  it.each<[string, { code: number }, string]>([
    ['that ends by itself', { code: 0 }, 'clearInterval(stays);'],
    ['with an exit code set', { code: 4 }, 'clearInterval(stays); process.exitCode = 4;'],
    [
      'whose beforeExit sets the exit code',
      { code: 4 },
      `clearInterval(stays); process.once('beforeExit', () => { console.log('bye'); process.exitCode = 4; });`,
    ],
    ['that waits for what never comes', { code: 13 }, 'clearInterval(stays); await new Promise(() => {});'],
    ['that throws', { code: 1 }, `await wait(10); throw new Error('broken');`],
    ['that exits', { code: 9 }, `process.on('exit', code => console.log('exit', code)); process.exit(9);`],
    ['that exits in beforeExit', { code: 9 }, `clearInterval(stays); process.on('beforeExit', () => process.exit(9));`],
  ])('%s ends with the same exit code as without a recorder', async (_, end, after) => {
    await expectSameEnd({ options: '', after }, end);
  });

  it('that exits says which messages were not sent, and which may have been', async () => {
    await using synap = await scriptedSynap(() => 'handled');
    const options = `batch: { maxMessages: 1 }, onLoss: ({ reason }) => console.log(reason)`;
    const after = `recorder.turn({ conversationId: 'd' }).user('Hi, too');
      process.on('exit', () => {
        const { accepted, pending, inFlight, lostAtShutdown, maybeLost } = recorder.stats();
        console.log(JSON.stringify({ accepted, pending, inFlight, lostAtShutdown, maybeLost }));
      });
      process.on('SIGUSR2', () => process.exit());`;
    const running = runApp(synap.url, { options, after, signals: [] });
    await expect.poll(() => synap.requests.length).toBe(1);
    running.child.kill('SIGUSR2');
    const { end, stderr } = await running;
    expect(end).toMatchObject({ code: 0 });
    expect(end.stdout.split('\n').sort()).toEqual(
      ['', 'maybe_lost', 'shutdown', '{"accepted":2,"pending":0,"inFlight":0,"lostAtShutdown":1,"maybeLost":1}'].sort(),
    );
    expect(stderr).toBe(
      '[synap-recorder] closed with 1 message undelivered and lost, and 1 that may be lost: a request with it was under way\n',
    );
  });
});
