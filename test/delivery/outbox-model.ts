import * as fc from 'fast-check';
import type {
  ClaimedEntry,
  ClaimLimits,
  DeadLetter,
  Outbox,
  OutboxEntry,
  Settlement,
} from '../../src/outbox/outbox.js';
import { anEntry } from './outbox-support.js';

interface Row extends ClaimedEntry {
  state: 'pending' | 'in_flight' | 'delivered' | 'dead' | 'expired';
  error: string;
}

/** An outbox in so few words that they are seen to be right: a list that is searched from its beginning each time. */
export class OutboxModel implements Outbox {
  readonly durable = false;
  readonly #maxMessages: number;
  #rows: Row[] = [];
  #newest = 0;
  #purged = { dead: 0, expired: 0 };

  constructor({ maxMessages }: { maxMessages: number }) {
    this.#maxMessages = maxMessages;
  }

  put(entry: OutboxEntry, { admitted }: { admitted: boolean }) {
    if (this.#rows.some(({ key }) => key === entry.key)) return 'duplicate';
    if (!admitted && this.#in('pending', 'in_flight').length >= this.#maxMessages) return 'full';
    this.#rows.push({ ...entry, state: 'pending', error: '', position: ++this.#newest });
    return 'accepted';
  }

  claim({ maxMessages, maxBytes, onePerConversation, except }: ClaimLimits) {
    const busy = new Set(this.#in('in_flight').map(resolveConversationId));
    const free = this.#in('pending').filter(
      row => !busy.has(resolveConversationId(row)) && !except.has(resolveConversationId(row)),
    );
    const isFirst = (row: Row) =>
      free.find(other => resolveConversationId(other) === resolveConversationId(row)) === row;
    const seconds = onePerConversation ? [] : free.filter(row => !isFirst(row));
    const claimed: Row[] = [];
    for (const row of [...free.filter(isFirst), ...seconds]) {
      if (claimed.length === maxMessages) break;
      if (claimed.length > 0 && total(claimed) + row.bytes > maxBytes) break;
      claimed.push(row);
    }
    for (const row of claimed) row.state = 'in_flight';
    return claimed.sort((a, b) => a.position - b.position);
  }

  settle(settlements: readonly Settlement[]) {
    for (const settlement of settlements) {
      const row = this.#in('in_flight').find(({ key }) => key === settlement.key);
      if (row) Object.assign(row, { ...settlement, state: settlement.to });
    }
    return 'settled' as const;
  }

  stats() {
    const dead = this.#in('dead').length + this.#purged.dead;
    const expired = this.#in('expired').length + this.#purged.expired;
    return {
      accepted: this.#rows.length + this.#purged.dead + this.#purged.expired,
      pending: this.#in('pending').length,
      inFlight: this.#in('in_flight').length,
      delivered: this.#in('delivered').length,
      deadLettered: dead,
      expired,
      pendingBytes: total(this.#in('pending')),
    };
  }

  progress(position = this.#newest) {
    const upTo = (rows: Row[]) => rows.filter(row => row.position <= position).length;
    const outstanding = upTo(this.#in('pending', 'in_flight'));
    return { position, outstanding, deadLetters: upTo(this.#in('dead', 'expired')) };
  }

  deadLetters({ after = 0, limit = 100 } = {}) {
    const letters = this.#in('dead', 'expired').filter(row => row.position > after);
    return letters.slice(0, limit).map(row => ({ ...row, diedAt: 0 }) as Row & DeadLetter);
  }

  replay(keys?: readonly string[]) {
    const letters = this.#in('dead', 'expired').filter(({ key }) => keys?.includes(key) ?? true);
    for (const row of letters) Object.assign(row, { state: 'pending', attempts: 0, position: ++this.#newest });
    return letters.length;
  }

  purge(keys?: readonly string[]) {
    const letters = this.#in('dead', 'expired').filter(({ key }) => keys?.includes(key) ?? true);
    for (const { state } of letters) this.#purged[state as 'dead' | 'expired']++;
    this.#rows = this.#rows.filter(row => !letters.includes(row));
    return letters.length;
  }

  close() {
    return this.#in('pending', 'in_flight');
  }

  #in(...states: Row['state'][]): Row[] {
    return this.#rows.filter(({ state }) => states.includes(state)).sort((a, b) => a.position - b.position);
  }
}

const resolveConversationId = (entry: OutboxEntry) => entry.message.conversationId;
const total = (entries: readonly OutboxEntry[]) => entries.reduce((sum, { bytes }) => sum + bytes, 0);

const key = fc.integer({ min: 0, max: 30 }).map(n => `k${n}`);
const conversation = fc.integer({ min: 0, max: 3 }).map(n => `c${n}`);
const someKeys = fc.option(fc.array(key, { maxLength: 4 }), { nil: undefined });
const outcome = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ to: 'delivered' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({ to: fc.constant('pending' as const), attempts: fc.nat(9), maybeStored: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ to: fc.constantFrom('dead' as const, 'expired' as const), error: fc.string() }) },
);

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('put' as const),
      key,
      conversation,
      bytes: fc.integer({ min: 1, max: 600 }),
      admitted: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('claim' as const),
      maxMessages: fc.integer({ min: 1, max: 6 }),
      maxBytes: fc.integer({ min: 1, max: 2000 }),
      onePerConversation: fc.boolean(),
      except: fc.array(conversation, { maxLength: 2 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('settle' as const),
      outcomes: fc.array(fc.tuple(key, outcome), { minLength: 1, maxLength: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('replay' as const, 'purge' as const), keys: someKeys }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('progress' as const),
      position: fc.option(fc.nat(40), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('deadLetters' as const),
      after: fc.nat(20),
      limit: fc.integer({ min: 1, max: 5 }),
    }),
  },
);

export type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
export const operations = fc.array(operation, { maxLength: 80, size: 'max' });

/** Calls an outbox, and answers with what can be compared. */
export async function perform(outbox: Outbox, operation: Operation): Promise<unknown> {
  switch (operation.type) {
    case 'put': {
      const { key, conversation, bytes, admitted } = operation;
      return outbox.put(anEntry(key, conversation, { bytes }), { admitted });
    }
    case 'claim': {
      const claimed = await outbox.claim({ ...operation, except: new Set(operation.except) });
      return claimed.map(({ key, position, attempts, maybeStored }) => ({ key, position, attempts, maybeStored }));
    }
    case 'settle': {
      const first = new Map(operation.outcomes.toReversed());
      return outbox.settle([...first].map(([key, outcome]) => ({ key, ...outcome })));
    }
    case 'replay':
      return outbox.replay(operation.keys);
    case 'purge':
      return outbox.purge(operation.keys);
    case 'progress':
      return outbox.progress(operation.position);
    case 'deadLetters': {
      const letters = await outbox.deadLetters(operation);
      return letters.map(({ key, position, state, error, attempts }) => ({ key, position, state, error, attempts }));
    }
  }
}
