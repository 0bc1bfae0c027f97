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
export function balancedStats(outbox: Outbox, account?: string) {
  const { pendingBytes, foreign = 0, ...stats } = outbox.stats(account);
  const { accepted, pending, inFlight, delivered, deadLettered, expired } = stats;
  const sum = pending + inFlight + delivered + deadLettered + expired;
  if (accepted !== sum) throw new Error(`the stats don't balance: accepted ${accepted}, accounted for ${sum}`);
  for (const [name, count] of Object.entries({ ...stats, pendingBytes }))
    if (count < 0) throw new Error(`the stats say ${name} ${count}`);
  return { ...stats, pendingBytes, foreign };
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
    open: (logger, account) => outbox.open?.(logger, account),
    put: later((entry, options) => outbox.put(entry, options)),
    claim: later(limits => outbox.claim(limits)),
    settle: later((settlements, account) => outbox.settle(settlements, account)),
    stats: account => outbox.stats(account),
    progress: later((position, account) => outbox.progress(position, account)),
    deadLetters: later(page => outbox.deadLetters(page)),
    replay: later((keys, options) => outbox.replay(keys, options)),
    purge: later((keys, options) => outbox.purge(keys, options)),
    accounts: later(() => outbox.accounts?.() ?? []),
    adopt: later((from, to, options) => outbox.adopt?.(from, to, options) ?? 0),
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

/** What the file of an outbox holds, and whether it is whole: the stats of each account must agree with what is counted. */
function auditFile(path: string) {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const integrity = db
      .prepare('PRAGMA integrity_check')
      .all()
      .map(row => Object.values(row)[0]);
    const rows = db
      .prepare(
        'SELECT account_id, key, state, bytes, position, message FROM entries LEFT JOIN messages USING (position)',
      )
      .all() as unknown as Row[];
    const accounts = db.prepare('SELECT * FROM accounts').all() as Record<string, number>[];
    const audits = accounts.map(stats => auditAccount(stats, rows));
    const newest = Math.max(0, ...rows.map(({ position }) => position));
    expect(Math.max(0, ...accounts.map(stats => stats.newest ?? 0))).toBeGreaterThanOrEqual(newest);
    const ids = new Set(accounts.map(({ id }) => id));
    const homeless = rows.filter(row => !ids.has(row.account_id));
    const messages = Number(db.prepare('SELECT count(*) AS n FROM messages').get()?.n);
    const withMessage = rows.filter(({ message }) => message !== null).length;
    const bare = rows.filter(({ state, message }) => (state === 'delivered') !== (message === null));
    // Each conversation that waits has one entry that may go, unless one of it is in flight.
    const stuck = db
      .prepare(`SELECT conversation_id FROM entries WHERE state IN ('ready', 'waiting', 'in_flight')
        GROUP BY account_id, conversation_id HAVING sum(state = 'ready') <> (sum(state = 'in_flight') = 0)`)
      .all();
    const states = new Map(rows.map(row => [row.key, row.state]));
    return { integrity, audits, problems: [homeless, bare, stuck], messages, withMessage, states };
  } finally {
    db.close();
  }
}

interface Row {
  account_id: number;
  key: string;
  state: string;
  bytes: number;
  position: number;
  message: string | null;
}

function auditAccount(stats: Record<string, number>, all: readonly Row[]) {
  const rows = all.filter(row => row.account_id === stats.id);
  const inState = (...states: string[]) => rows.filter(({ state }) => states.includes(state));
  const bytes = (...states: string[]) => inState(...states).reduce((sum, row) => sum + row.bytes, 0);
  const { forgotten = 0, purged = 0 } = stats;
  const counted = {
    pending: inState('ready', 'waiting').length,
    in_flight: inState('in_flight').length,
    delivered: inState('delivered').length + forgotten,
    dead_letters: inState('dead', 'expired').length + purged,
    pending_bytes: bytes('ready', 'waiting'),
    in_flight_bytes: bytes('in_flight'),
    bytes: bytes('ready', 'waiting', 'in_flight', 'dead', 'expired'),
    accepted: rows.length + forgotten + purged,
  };
  const booked = {
    ...Object.fromEntries(Object.keys(counted).map(name => [name, stats[name]])),
    dead_letters: (stats.dead_lettered ?? 0) + (stats.expired ?? 0),
  };
  return { counted, booked };
}

/** Fails unless the file is whole and its stats are right. Answers with the state of each key. */
export function expectSound(path: string): Map<string, string> {
  const { integrity, audits, problems, messages, withMessage, states } = auditFile(path);
  expect(integrity).toEqual(['ok']);
  for (const { counted, booked } of audits) expect(booked).toEqual(counted);
  expect(problems).toEqual([[], [], []]);
  expect(messages).toBe(withMessage);
  return states;
}

/** A logger that remembers. */
export function listen() {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  return { lines, logger: { info: write, warn: write, error: write } };
}
