import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import type { ClaimLimits, MaybePromise, Outbox, OutboxEntry } from '../../src/index.js';
import type { SqliteOutboxOptions } from '../../src/outbox/sqlite/index.js';

/** A path for a file, in a folder that is gone when the test is. */
export function tempFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'synap-outbox-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'outbox.db');
}

/** An entry as the recorder puts it. */
export function anEntry(key: string, conversationId = 'c1', fields: Partial<OutboxEntry> = {}): OutboxEntry {
  return {
    key,
    message: { conversationId, role: 'user', content: `content of ${key}`, userId: 'ada' },
    bytes: 100,
    acceptedAt: 1_700_000_000_000,
    attempts: 0,
    maybeStored: false,
    ...fields,
  };
}

export const WHOLE_TURN = { admitted: false };

export const NO_LIMITS: ClaimLimits = {
  maxMessages: 1000,
  maxBytes: 1_000_000,
  onePerConversation: false,
  except: new Set(),
};

export const keysOf = (entries: readonly { key: string }[]) => entries.map(({ key }) => key);

/** Puts entries, `key:conversation` each, and expects all to be accepted. */
export async function putAll(outbox: Outbox, ...entries: string[]): Promise<void> {
  for (const entry of entries) {
    const [key = '', conversation] = entry.split(':');
    const result = await outbox.put(anEntry(key, conversation), WHOLE_TURN);
    if (result !== 'accepted') throw new Error(`${entry} was not accepted: ${result}`);
  }
}

/** Claims what there is, within limits; answers with the keys. */
export async function claimKeys(outbox: Outbox, limits: Partial<ClaimLimits> = {}): Promise<string[]> {
  return keysOf(await outbox.claim({ ...NO_LIMITS, ...limits }));
}

export async function deliver(outbox: Outbox, ...keys: string[]) {
  return outbox.settle(keys.map(key => ({ key, to: 'delivered' })));
}

export async function addDeadLetter(outbox: Outbox, ...keys: string[]) {
  return outbox.settle(keys.map(key => ({ key, to: 'dead', error: `no ${key}` })));
}

export async function putBack(outbox: Outbox, ...keys: string[]) {
  return outbox.settle(keys.map(key => ({ key, to: 'pending', attempts: 1, maybeStored: true })));
}

/** The stats of an outbox, checked: every accepted message is somewhere. */
export function balancedStats(outbox: Outbox) {
  const { pendingBytes, ...stats } = outbox.stats();
  const { accepted, pending, inFlight, delivered, deadLettered, expired } = stats;
  const sum = pending + inFlight + delivered + deadLettered + expired;
  if (accepted !== sum) throw new Error(`the stats don't balance: accepted ${accepted}, accounted for ${sum}`);
  for (const [name, count] of Object.entries({ ...stats, pendingBytes }))
    if (count < 0) throw new Error(`the stats say ${name} ${count}`);
  return { ...stats, pendingBytes };
}

/** The same outbox, as one behind a network would answer: later, in the order of the calls. */
export function answeringLater(outbox: Outbox): Outbox {
  let last: Promise<unknown> = Promise.resolve();
  const later =
    <A extends unknown[], R>(call: (...args: A) => MaybePromise<R>) =>
    (...args: A): Promise<R> => {
      const answer = last.then(async () => {
        for (let ticks = Math.floor(Math.random() * 4); ticks > 0; ticks--) await null;
        return call(...args);
      });
      last = answer.catch(() => {});
      return answer;
    };
  return {
    durable: outbox.durable,
    pollMs: outbox.pollMs,
    open: logger => outbox.open?.(logger),
    put: later((entry, options) => outbox.put(entry, options)),
    claim: later(limits => outbox.claim(limits)),
    settle: later(settlements => outbox.settle(settlements)),
    stats: () => outbox.stats(),
    progress: later(position => outbox.progress(position)),
    deadLetters: later(page => outbox.deadLetters(page)),
    replay: later(keys => outbox.replay(keys)),
    purge: later(keys => outbox.purge(keys)),
    close: later(() => outbox.close()),
  };
}

export interface RemoteOutbox {
  readonly child: ChildProcess;
  /** Calls a method of the outbox, or `log`. */
  call<T = unknown>(method: keyof Outbox | 'log', ...args: unknown[]): Promise<T>;
  kill(signal: NodeJS.Signals): void;
}

const FAST_CLOCK = new URL('../support/fast-clock.ts', import.meta.url).href;

/**
 * An outbox in a process of its own. `shell` is run before it, in the same process. With a fast clock, the time of the
 * process goes by ten times as fast.
 */
export async function remoteOutbox(
  options: SqliteOutboxOptions,
  { shell = '', hasFastClock = false } = {},
): Promise<RemoteOutbox> {
  const program = fileURLToPath(new URL('programs/remote-outbox.ts', import.meta.url));
  const clock = hasFastClock ? ['--import', FAST_CLOCK] : [];
  const child = spawn(
    'bash',
    ['-c', `${shell}\nexec "$@"`, 'bash', process.execPath, ...clock, program, JSON.stringify(options)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      // Node 22 calls node:sqlite experimental.
      env: { ...process.env, NODE_NO_WARNINGS: '1' },
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { done, value } = await lines.next();
    if (done) throw new Error(`the process has ended: ${child.signalCode ?? child.exitCode}`);
    return JSON.parse(value);
  };
  await answer();
  return {
    child,
    call(method, ...args) {
      const plain = (_key: string, value: unknown) => (value instanceof Set ? [...value] : value);
      child.stdin.write(`${JSON.stringify([method, ...args], plain)}\n`);
      return answer();
    },
    kill: signal => void child.kill(signal),
  };
}

/** What the file of an outbox holds, and whether it is whole: the stats must agree with what is counted. */
function auditFile(path: string) {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const integrity = db
      .prepare('PRAGMA integrity_check')
      .all()
      .map(row => Object.values(row)[0]);
    const rows = db
      .prepare('SELECT key, state, bytes, position, message FROM entries LEFT JOIN messages USING (position)')
      .all() as { key: string; state: string; bytes: number; position: number; message: string | null }[];
    const count = (...states: string[]) => rows.filter(({ state }) => states.includes(state)).length;
    const bytes = (...states: string[]) =>
      rows.filter(({ state }) => states.includes(state)).reduce((sum, row) => sum + row.bytes, 0);
    const stats = { ...db.prepare('SELECT * FROM outbox').get() } as Record<string, number>;
    const counted = {
      pending: count('ready', 'waiting'),
      in_flight: count('in_flight'),
      delivered: count('delivered') + (stats.forgotten ?? 0),
      dead_letters: count('dead', 'expired') + (stats.purged ?? 0),
      pending_bytes: bytes('ready', 'waiting'),
      in_flight_bytes: bytes('in_flight'),
      bytes: bytes('ready', 'waiting', 'in_flight', 'dead', 'expired'),
      newest: Math.max(0, stats.newest ?? 0, ...rows.map(({ position }) => position)),
      messages: Number(db.prepare('SELECT count(*) AS n FROM messages').get()?.n),
      accepted: rows.length + (stats.forgotten ?? 0) + (stats.purged ?? 0),
    };
    const booked = {
      ...Object.fromEntries(Object.keys(counted).map(name => [name, stats[name]])),
      dead_letters: (stats.dead_lettered ?? 0) + (stats.expired ?? 0),
      messages: rows.filter(({ message }) => message !== null).length,
    };
    const withMessage = rows.filter(({ state }) => state !== 'delivered').every(({ message }) => message !== null);
    // Each conversation that waits has one entry that may go, unless one of it is in flight.
    const stuck = db
      .prepare(`SELECT conversation_id FROM entries WHERE state IN ('ready', 'waiting', 'in_flight')
        GROUP BY conversation_id HAVING sum(state = 'ready') <> (sum(state = 'in_flight') = 0)`)
      .all();
    return { integrity, counted, booked, withMessage, stuck, states: new Map(rows.map(row => [row.key, row.state])) };
  } finally {
    db.close();
  }
}

/** Fails unless the file is whole and its stats are right. Answers with the state of each key. */
export function expectSound(path: string): Map<string, string> {
  const { integrity, counted, booked, withMessage, stuck, states } = auditFile(path);
  expect(integrity).toEqual(['ok']);
  expect(booked).toEqual(counted);
  expect(withMessage).toBe(true);
  expect(stuck).toEqual([]);
  return states;
}

/** A logger that remembers. */
export function listen() {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  return { lines, logger: { info: write, warn: write, error: write } };
}
