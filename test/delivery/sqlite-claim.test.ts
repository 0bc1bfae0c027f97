import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { Statements } from '../../src/internal/sqlite/statements.js';
import { chooseEntries } from '../../src/outbox/sqlite/claim.js';
import type { CountersChange } from '../../src/outbox/sqlite/counters.js';
import {
  type EntryState,
  forgetDelivered,
  insertEntry,
  requeueInFlight,
  settleClaimed,
  startClaimed,
} from '../../src/outbox/sqlite/entry-moves.js';
import { FORMAT } from '../../src/outbox/sqlite/schema.js';
import { type OutboxStatements, SQL } from '../../src/outbox/sqlite/statements.js';

/** The account that all entries are of. */
const ACCOUNT = { id: 1, carriedMs: 0 };

/** The tables in memory with an entry for each name, in order: `a1` is of the conversation `a`. */
function table(names: readonly string[], bytes = 10) {
  const db = new DatabaseSync(':memory:');
  onTestFinished(() => db.close());
  db.exec(FORMAT.createSchema);
  const statements: OutboxStatements = new Statements(db, SQL);
  names.forEach((key, index) => {
    const message = { conversationId: key[0] ?? '', role: 'user', content: key, userId: 'u' } as const;
    const entry = { key, message, json: JSON.stringify(message), bytes, acceptedAt: index, attempts: 0 };
    insertEntry(statements, ACCOUNT, index + 1, { ...entry, maybeStored: false });
  });
  const states = () =>
    Object.fromEntries(
      db
        .prepare('SELECT key, state FROM entries ORDER BY position')
        .all()
        .map(({ key, state }) => [key, state as EntryState]),
    );
  const choose = (fields: Partial<Parameters<typeof chooseEntries>[2]> = {}) =>
    chooseEntries(statements, ACCOUNT, {
      maxMessages: 10,
      maxBytes: 1000,
      onePerConversation: false,
      except: new Set<string>(),
      ...fields,
    });
  const keys = (fields?: Parameters<typeof choose>[0]) => choose(fields).map(({ key }) => key);
  const claim = (fields?: Parameters<typeof choose>[0]) => {
    const entries = choose(fields);
    const change = startClaimed(statements, entries);
    const claimed = new Map(
      entries.map(({ key, position, message, bytes }) => [
        key,
        { position, bytes, conversationId: message.conversationId },
      ]),
    );
    return { change, claimed };
  };
  return { db, statements, states, keys, claim };
}

test('the first of each conversation is ready, and those behind it wait', () => {
  expect(table(['a1', 'b1', 'a2', 'b2', 'a3']).states()).toEqual({
    a1: 'ready',
    b1: 'ready',
    a2: 'waiting',
    b2: 'waiting',
    a3: 'waiting',
  });
});

test('a batch has one of each conversation before a second of any, in the order of the queue', () => {
  const { keys } = table(['a1', 'a2', 'a3', 'b1', 'c1']);
  expect(keys({ maxMessages: 4 })).toEqual(['a1', 'a2', 'b1', 'c1']);
});

test('a batch with one of each conversation has no second of any', () => {
  expect(table(['a1', 'a2', 'b1']).keys({ onePerConversation: true })).toEqual(['a1', 'b1']);
});

test('a batch has nothing of a conversation that must wait', () => {
  const { keys } = table(['a1', 'a2', 'b1', 'c1']);
  expect(keys({ except: new Set(['a']) })).toEqual(['b1', 'c1']);
  expect(keys({ except: new Set(['a']), maxMessages: 1 })).toEqual(['b1']);
});

test('a batch has at least one entry, however large, and then no more than fits', () => {
  const { keys } = table(['a1', 'b1', 'c1'], 100);
  expect(keys({ maxBytes: 1 })).toEqual(['a1']);
  expect(keys({ maxBytes: 200 })).toEqual(['a1', 'b1']);
});

test('nothing is claimed of a conversation of which another is in flight', () => {
  const { claim, keys, states } = table(['a1', 'a2', 'b1']);
  const { change } = claim({ maxMessages: 1 });
  expect(change).toEqual({ pending: -1, inFlight: 1, pendingBytes: -10, inFlightBytes: 10 });
  expect(keys()).toEqual(['b1']);
  expect(states()).toEqual({ a1: 'in_flight', a2: 'waiting', b1: 'ready' });
});

test.each<[string, Parameters<typeof settleClaimed>[2][number], EntryState, Partial<CountersChange>, EntryState]>([
  ['delivered', { key: 'a1', to: 'delivered' }, 'delivered', { delivered: 1, bytes: -10 }, 'ready'],
  ['a dead letter', { key: 'a1', to: 'dead', error: 'refused' }, 'dead', { deadLettered: 1 }, 'ready'],
  ['expired', { key: 'a1', to: 'expired', error: 'too old' }, 'expired', { expired: 1 }, 'ready'],
  [
    'put back',
    { key: 'a1', to: 'pending', attempts: 1, maybeStored: true },
    'ready',
    { pending: 1, pendingBytes: 10 },
    'waiting',
  ],
])('an entry that is %s lets the one behind it move on in its turn', (_, settlement, state, counted, behind) => {
  const { claim, statements, states } = table(['a1', 'a2']);
  const { claimed } = claim({ maxMessages: 1 });
  const change = settleClaimed(statements, ACCOUNT.id, [settlement], claimed);
  expect(change).toMatchObject({ inFlight: -1, inFlightBytes: -10, ...counted });
  expect(states()).toEqual({ a1: state, a2: behind });
});

test('the settlement of an entry that is not in flight changes nothing', () => {
  const { statements, states } = table(['a1']);
  const change = settleClaimed(statements, ACCOUNT.id, [{ key: 'a1', to: 'delivered' }], new Map());
  expect(Object.values(change).every(count => count === 0)).toBe(true);
  expect(states()).toEqual({ a1: 'ready' });
});

test('what a process that died had in flight is pending again in its old order, as what Synap may have', () => {
  const { claim, db, statements, states, keys } = table(['a1', 'a2', 'b1', 'a3']);
  claim({ maxMessages: 3 });
  expect(requeueInFlight(statements, { id: ACCOUNT.id, inFlight: 3, inFlightBytes: 30 })).toEqual({
    pending: 3,
    inFlight: -3,
    pendingBytes: 30,
    inFlightBytes: -30,
  });
  expect(states()).toEqual({ a1: 'ready', a2: 'waiting', b1: 'ready', a3: 'waiting' });
  expect(keys()).toEqual(['a1', 'a2', 'b1', 'a3']);
  expect(db.prepare('SELECT key, attempts, maybe_stored FROM entries ORDER BY position').all()).toEqual([
    { key: 'a1', attempts: 1, maybe_stored: 1 },
    { key: 'a2', attempts: 1, maybe_stored: 1 },
    { key: 'b1', attempts: 1, maybe_stored: 1 },
    { key: 'a3', attempts: 0, maybe_stored: 0 },
  ]);
});

test('the keys that are forgotten are those delivered first', () => {
  const { claim, statements, states } = table(['a1', 'b1', 'c1']);
  const { claimed } = claim();
  settleClaimed(
    statements,
    ACCOUNT.id,
    ['a1', 'b1', 'c1'].map(key => ({ key, to: 'delivered' })),
    claimed,
  );
  expect([forgetDelivered(statements, ACCOUNT.id, -1), forgetDelivered(statements, ACCOUNT.id, 2)]).toEqual([0, 2]);
  expect(states()).toEqual({ c1: 'delivered' });
});
