// When undici is loaded, and what happens where it can't be.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { scriptedSynap } from '../support/scripted-synap.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a module beside the built package, in a process of its own that nothing of ours may keep alive. Returns what it prints as JSON. */
async function run(program: string, env: Record<string, string> = {}): Promise<unknown> {
  const prelude = `
    import { createRequire, registerHooks } from 'node:module';
    import { setTimeout as sleep } from 'node:timers/promises';
    const { cache } = createRequire(import.meta.url);
    const loaded = () => Object.keys(cache).map(file => file.replaceAll('\\\\', '/')).filter(file => file.includes('/undici/'));
    const until = async is => { while (!is()) await sleep(5); };
    const without = (...names) => registerHooks({
      resolve(name, context, next) {
        if (names.some(gone => name.startsWith(gone))) throw new Error('there is no ' + name);
        return next(name, context);
      },
    });
    const { createRecorder } = await import('synap-recorder');`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', `${prelude}\n${program}`],
    { cwd: ROOT, timeout: 15_000, env: { ...process.env, SYNAP_API_KEY: 'k', ...env } },
  );
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe('undici', () => {
  it('is loaded by createRecorder, before anything is sent', async () => {
    const files = await run(`
      const before = loaded().length;
      createRecorder({ userId: 'ada' });
      await until(() => loaded().some(file => file.endsWith('/api-request.js')));
      console.log(JSON.stringify(before));`);
    expect(files).toBe(0);
  });

  it('is loaded without what takes the place of the app’s own fetch dispatcher', async () => {
    const state = await run(`
      createRecorder({ userId: 'ada' });
      await until(() => loaded().some(file => file.endsWith('/api-request.js')));
      console.log(JSON.stringify({
        whole: loaded().some(file => file.endsWith('/undici/index.js')),
        dispatchers: [1, 2].map(n => typeof globalThis[Symbol.for('undici.globalDispatcher.' + n)]),
      }));`);
    expect(state).toEqual({ whole: false, dispatchers: ['undefined', 'undefined'] });
  });

  it('is not loaded by the import of the package, nor by a recorder that is off', async () => {
    const files = await run(`
      createRecorder({ userId: 'ada', enabled: false }).turn().user('Hi');
      await sleep(300);
      console.log(JSON.stringify(loaded()));`);
    expect(files).toEqual([]);
  });

  it.each([
    ['loaded whole where its files have moved', ['undici/'], true],
    ['done without where it can’t be loaded', ['undici'], false],
  ])('is %s', async (_, gone, whole) => {
    await using synap = await scriptedSynap();
    const state = await run(
      `without(...${JSON.stringify(gone)});
       const recorder = createRecorder({ userId: 'ada', conversationId: 'chat-42' });
       recorder.turn().user('Hi');
       const { delivered } = await recorder.close();
       console.log(JSON.stringify({ delivered, whole: loaded().some(file => file.endsWith('/undici/index.js')) }));`,
      { SYNAP_BASE_URL: synap.url },
    );
    expect(state).toEqual({ delivered: 1, whole });
    expect(synap.stored).toHaveLength(1);
  });

  it('keeps no process alive that sends nothing, and rejects nothing, where it can’t be loaded', async () => {
    const state = await run(`
      without('undici');
      createRecorder({ userId: 'ada' });
      console.log(JSON.stringify('done'));`);
    expect(state).toBe('done');
  });
});
