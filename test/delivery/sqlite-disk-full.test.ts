import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Outbox, PutResult } from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import {
  anEntry,
  balancedStats,
  claimKeys,
  deliver,
  expectSound,
  keysOf,
  listen,
  NO_LIMITS,
  remoteOutbox,
  tempFile,
  WHOLE_TURN,
} from './outbox-support.js';

const KiB = 1024;
const SECOND = 1000;

const run = (command: string, ...args: string[]) => spawnSync(command, args, { timeout: 10_000 }).status === 0;

function anEntryOf(bytes: number, key: string, conversation: string) {
  const entry = anEntry(key, conversation, { bytes });
  return { ...entry, message: { ...entry.message, content: 'x'.repeat(bytes) } };
}

describe.skipIf(!run('prlimit', '--version'))('a file that may not grow', () => {
  it('takes everything in order once it may, and nobody is stopped until then', async () => {
    const path = tempFile();
    const remote = await remoteOutbox({ path }, { shell: 'ulimit -S -f 400', hasFastClock: true });
    const keys = Array.from({ length: 600 }, (_, n) => `k${n}`);
    for (const [n, key] of keys.entries())
      expect(await remote.call('put', anEntryOf(2 * KiB, key, `c${n % 9}`), WHOLE_TURN)).toBe('accepted');
    expect(await remote.call('stats')).toMatchObject({ accepted: 600, pending: 600 });
    const log = await remote.call<string[]>('log');
    expect(log[0]).toMatch(/can't be (used|written).* messages wait in memory/);

    expect(run('prlimit', '--pid', String(remote.child.pid), '--fsize=unlimited')).toBe(true);
    const moved = async () => {
      await remote.call('stats');
      return (await remote.call<string[]>('log')).at(-1);
    };
    await expect.poll(moved, { interval: 100 }).toMatch(/outbox file recovered/);
    expect(await remote.call('close')).toEqual([]);
    expect(expectSound(path).size).toBe(600);
    const outbox = sqliteOutbox({ path });
    onTestFinished(async () => void (await outbox.close()));
    expect(keysOf(await outbox.claim({ ...NO_LIMITS, maxBytes: 1e9 }))).toEqual(keys);
  });
});

describe.skipIf(!run('prlimit', '--version'))('a file that may not grow, and is opened again in vain', () => {
  it('is still counted', async () => {
    const remote = await remoteOutbox({ path: tempFile() }, { shell: 'ulimit -S -f 400', hasFastClock: true });
    let count = 0;
    const put = () => remote.call('put', anEntryOf(2 * KiB, `k${count++}`, 'c'), WHOLE_TURN);
    while ((await remote.call<string[]>('log')).length === 0) expect(await put()).toBe('accepted');
    // Whenever the file is tried again: after 5 seconds, on a clock that is ten times as fast.
    for (const tried = performance.now() + 1500; performance.now() < tried; await sleep(5))
      expect(await put()).toBe('accepted');
    expect(await remote.call('stats')).toMatchObject({ accepted: count, pending: count });
  });
});

/** A folder on a disk of its own; undefined where that is not permitted. */
function smallDisk(bytes: number): string | undefined {
  const folder = join(dirname(tempFile()), 'disk');
  mkdirSync(folder);
  if (!run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder)) return undefined;
  onTestFinished(() => void run('umount', '--lazy', folder));
  return folder;
}

describe('a disk that is full', () => {
  let now = 0;
  beforeEach(() => {
    vi.spyOn(Date, 'now').mockImplementation(() => (now += 50));
    onTestFinished(() => void vi.restoreAllMocks());
  });

  /** An outbox on a disk of 4 MiB, half of it taken; entries are put until that is full, and some more. */
  async function filled(skip: () => never) {
    const folder = smallDisk(4096 * KiB) ?? skip();
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(2048 * KiB));
    const path = join(folder, 'outbox.db');
    const { lines: log, logger } = listen();
    const outbox: Outbox = sqliteOutbox({ path });
    onTestFinished(async () => void (await outbox.close()));
    outbox.open?.(logger);
    let count = 0;
    const put = (): PutResult =>
      outbox.put(anEntryOf(10 * KiB, `k${count}`, `c${count++ % 5}`), WHOLE_TURN) as PutResult;
    while (log.length === 0 && count < 1000) expect(put()).toBe('accepted');
    for (let more = 0; more < 20; more++) expect(put()).toBe('accepted');
    return { outbox, path, log, put, makeRoom: () => rmSync(ballast), keys: () => keysFrom(0, count) };
  }
  const keysFrom = (first: number, end: number) => Array.from({ length: end - first }, (_, n) => `k${first + n}`);

  it('takes everything in order once there is room again', async ({ skip }) => {
    const { outbox, path, log, put, makeRoom, keys } = await filled(skip);
    expect(log).toEqual([expect.stringMatching(/can't be written, the disk is full: make room on it/)]);
    expect(balancedStats(outbox)).toMatchObject({ accepted: keys().length, pending: keys().length });
    makeRoom();
    now += 6 * SECOND;
    expect(put()).toBe('accepted');
    expect(log[1]).toMatch(/outbox file recovered/);
    expect(expectSound(path).size).toBe(keys().length);
    expect(await claimKeys(outbox, { maxBytes: 1e9 })).toEqual(keys());
  });

  it('goes on sending the conversations that have nothing in the file', async ({ skip }) => {
    const { outbox, makeRoom, keys } = await filled(skip);
    await outbox.put(anEntry('new1', 'new'), WHOLE_TURN);
    await outbox.put(anEntry('new2', 'new'), WHOLE_TURN);
    expect(await claimKeys(outbox)).toEqual(['new1', 'new2']);
    expect(await deliver(outbox, 'new1', 'new2')).toBe('settled');
    expect(await claimKeys(outbox)).toEqual([]);
    expect(balancedStats(outbox)).toMatchObject({ accepted: keys().length + 2, delivered: 2 });
    makeRoom();
    now += 6 * SECOND;
    expect(await claimKeys(outbox, { maxBytes: 1e9 })).toEqual(keys());
  });

  it('loses, and names, only what is in memory when the outbox is closed', async ({ skip }) => {
    const { outbox, path, keys } = await filled(skip);
    const lost = keysOf(await outbox.close());
    expect(lost.length).toBeGreaterThan(0);
    const kept = [...expectSound(path).keys()];
    expect([...kept, ...lost]).toEqual(keys());
    expect(outbox.stats()).toMatchObject({ accepted: keys().length, pending: kept.length });
  });
});
