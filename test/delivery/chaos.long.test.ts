import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/runs.js';
import { stage } from './kill-stage.js';

const HOLDER = fileURLToPath(new URL('programs/lock-holder.ts', import.meta.url));
const LEASE_MS = 400;

type Stage = Awaited<ReturnType<typeof stage>>;
type Sender = ReturnType<Stage['start']>;

let seed = 7919;
/** A whole number below `count`, the same ones in each run. */
function below(count: number): number {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % count;
}

/** Senders with names of their own, each of which is replaced when it has ended. */
async function crew(size: number, begin: (name: string) => Sender) {
  let generation = 0;
  const start = () => begin(`p${generation++}`);
  const running = Array.from({ length: size }, start);
  await Promise.all(running.map(sender => sender.accepted(1)));
  return {
    running,
    any: () => running[below(size)] as Sender,
    /** Ends one of them by a signal, and lets another take its place. @returns how it ended */
    async replace(signal: NodeJS.Signals) {
      const place = below(size);
      const victim = running[place] as Sender;
      const next = start();
      running[place] = next;
      victim.child.kill(signal);
      const [end] = await Promise.all([victim.ended, next.accepted(1)]);
      return end;
    },
    /** Ends all of them by a signal. */
    async end(signal: NodeJS.Signals) {
      for (const { child } of running) child.kill(signal);
      return Promise.all(running.map(sender => sender.ended));
    },
  };
}

/** Somebody delivers. */
async function goesOn(on: Stage): Promise<void> {
  const before = on.synap.stored.length;
  await expect.poll(() => on.synap.stored.length, { interval: 5 }).toBeGreaterThan(before);
}

/** Lets the rest be delivered, checks all of it, and says how much it was. */
async function checked(on: Stage): Promise<{ duplicates: number }> {
  const { stats, duplicates } = await on.drained();
  console.info(`${expect.getState().currentTestName}: ${stats.accepted} messages, 0 missing, ${duplicates} sent twice`);
  return { duplicates };
}

describe('four processes on one file', () => {
  it('keep the order, and send nothing again that was settled, when they are stopped and go on', async () => {
    await using on = await stage();
    const { any, end } = await crew(4, name => on.start('--name', name, '--count', '2000', '--closes'));
    for (let n = 0; n < runs(8, 60); n++) {
      const { child } = any();
      child.kill('SIGSTOP');
      await sleep(LEASE_MS / 2 + below(3 * LEASE_MS));
      child.kill('SIGCONT');
      await goesOn(on);
    }
    // What had to wait in memory, while one was stopped in the middle of a transaction, goes into the file.
    await end('SIGTERM');
    await checked(on);
  });

  it('lose nothing when they are ended by SIGTERM under load, and each of them ends', async () => {
    await using on = await stage();
    const { replace, end } = await crew(4, name => on.start('--name', name, '--count', '2000', '--closes'));
    for (let n = 0; n < runs(6, 40); n++) {
      expect(await replace('SIGTERM')).toMatchObject({ signal: 'SIGTERM' });
      await goesOn(on);
    }
    await end('SIGTERM');
    const { duplicates } = await checked(on);
    // What was in flight at an end that did not wait for it.
    expect(duplicates).toBeLessThanOrEqual(10 * runs(10, 44));
  });

  it('give back what they have while another program keeps the file locked at their close', async () => {
    await using on = await stage();
    const { replace, end } = await crew(4, name => on.start('--name', name, '--count', '2000', '--closes'));
    for (let n = 0; n < runs(4, 30); n++) {
      const holder = spawn(process.execPath, [HOLDER, on.file, `${100 + below(900)}`], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      await once(holder.stdout, 'data');
      expect(await replace('SIGTERM')).toMatchObject({ signal: 'SIGTERM' });
      await goesOn(on);
    }
    await end('SIGTERM');
    await checked(on);
  });
});

describe('a process that is stopped past its lease', () => {
  it.each([
    ['while it waits for its rate limit', ['--rate', '100']],
    ['while it waits for its key', ['--keyMs', '700']],
  ])('%s sends nothing of what another has taken over', async (_, slow) => {
    await using on = await stage();
    const sent = () => on.synap.stored.length;
    const first = on.start('--name', 'a', '--count', '40', '--conversations', '1', ...slow);
    await first.accepted(40);
    if (slow[0] === '--rate') await expect.poll(sent, { interval: 5 }).toBeGreaterThan(0);
    await sleep(100);
    first.child.kill('SIGSTOP');
    const before = sent();
    const second = on.start('--name', 'b', '--count', '1');
    await expect.poll(() => sent() - before, { interval: 5 }).toBeGreaterThanOrEqual(30);
    first.child.kill('SIGCONT');
    await sleep(2 * LEASE_MS);
    for (const { child, ended } of [first, second]) {
      child.kill('SIGKILL');
      await ended;
    }
    const { duplicates } = await checked(on);
    expect(duplicates).toBe(0);
  });
});

const FAKETIME = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
  .map(folder => `${folder}/faketime/libfaketime.so.1`)
  .find(existsSync);

/** Of a process whose clock is what stands in a file: `+300s`, or `@1970-01-01 00:00:10`. The monotonic clock goes on. */
function clockOf(file: string): NodeJS.ProcessEnv {
  return {
    LD_PRELOAD: FAKETIME,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
}

if (FAKETIME === undefined)
  console.warn('clock steps are not tested: libfaketime is missing (apt-get install faketime)');

describe.runIf(FAKETIME !== undefined)('four processes whose clocks are set', () => {
  it('never take over from one that lives: everything arrives once, in order', async () => {
    await using on = await stage();
    const clocks = new Map<ChildProcess, string>();
    const { any, end } = await crew(4, name => {
      const clock = `${on.file}.${name}`;
      // One of them has booted in 1970.
      writeFileSync(clock, name === 'p0' ? '@1970-01-01 00:00:10' : '+0s');
      const sender = on.startBy(
        { env: clockOf(clock) },
        '--name',
        name,
        '--count',
        '1500',
        '--lease',
        '3000',
        '--closes',
      );
      clocks.set(sender.child, clock);
      return sender;
    });
    for (let n = 0; n < runs(20, 200); n++) {
      writeFileSync(clocks.get(any().child) ?? '', ['+300s', '-300s', '+0s', '@1970-01-01 00:00:10'][below(4)] ?? '');
      await goesOn(on);
    }
    const contents = on.synap.stored.map(({ content }) => content);
    expect(new Set(contents).size).toBe(contents.length);
    await end('SIGTERM');
    await checked(on);
  });
});

const hasNamespaces = spawnSync('unshare', ['-p', '-f', '--mount-proc', 'true']).status === 0;
if (!hasNamespaces) console.warn('namespaces of processes are not tested: unshare needs root on Linux');

describe.runIf(hasNamespaces)('three containers on one volume, in each of which the process is number 1', () => {
  it('lose nothing, and notice at once that one of them was killed', async () => {
    await using on = await stage();
    const prefix = ['unshare', '-p', '-f', '--mount-proc', '--kill-child'];
    const { replace, end } = await crew(3, name =>
      on.startBy({ prefix }, '--name', name, '--count', '2000', '--lease', '60000'),
    );
    const started = performance.now();
    for (let n = 0; n < runs(6, 50); n++) {
      await replace('SIGKILL');
      await goesOn(on);
    }
    // One lease alone lasts longer.
    expect((performance.now() - started) / runs(6, 50)).toBeLessThan(10_000);
    await end('SIGKILL');
    await checked(on);
  });
});
