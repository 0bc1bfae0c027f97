import { spawn } from 'node:child_process';
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
async function runApp(url: string | undefined, { before = '', options = 'signals: true', after = '', signals }: App) {
  const record = `const { createRecorder } = await import('./dist/index.js');
    const makeRecorder = options =>
      createRecorder({ apiKey: 'k', baseUrl: '${url}', userId: 'ada', conversationId: 'c', ...options });
    const recorder = makeRecorder({ ${options} });
    recorder.turn().user('Hi');`;
  const without = `const recorder = { turn: () => ({ user() {}, complete() {} }), close: async () => {} };
    const makeRecorder = () => recorder;`;
  const program = `const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
    const stays = setInterval(() => {}, 1000);
    ${before}
    ${url === undefined ? without : record}
    ${after}
    console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { cwd: ROOT });
  const kill = setTimeout(() => child.kill('SIGKILL'), 15_000);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text;
  });
  const queue = [...(signals ?? [])];
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
    { before: SIGNAL_EXIT_3, after: `process.on('SIGTERM', async () => { await wait(300); process.exit(7); });` },
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
    { after: `process.prependOnceListener('SIGTERM', async () => { await wait(500); process.exit(3); });` },
  ],
  [
    'a listener that removes itself first takes its time over',
    { code: 3 },
    {
      before: `process.on('SIGTERM', async function end() {
        process.off('SIGTERM', end);
        await wait(500);
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
    { options: `signals: ['SIGHUP', 'SIGKILL', 'SIGNONE']`, signals: ['SIGHUP'] },
  ],
  [
    'has several recorders',
    { signal: 'SIGTERM' },
    { after: `makeRecorder({ signals: true }).turn().user('Hi, too');` },
  ],
  ['comes when the recorder was closed', { signal: 'SIGTERM' }, { after: `await recorder.close();` }],
  ['comes while another recorder closes', { signal: 'SIGTERM' }, { after: `makeRecorder({ signals: true }).close();` }],
];

describe('a signal', () => {
  it.each(ends)('that %s ends the process as without a recorder, and what waits is delivered', async (_, end, app) => {
    const { said, stderr } = await expectSameEnd({ signals: ['SIGTERM'], ...app }, end);
    expect(said).toContain('Hi');
    expect(stderr).toBe('');
  });
});
