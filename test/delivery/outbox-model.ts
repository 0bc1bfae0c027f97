import * as fc from 'fast-check';
import type {
  ClaimedEntry,
  ClaimLimits,
  DeadLetter,
  Outbox,
  OutboxEntry,
  PurgeableState,
  Settlement,
} from '../../src/outbox/outbox.js';
import { anEntry } from './outbox-support.js';

interface Row extends ClaimedEntry {
  state: 'pending' | 'in_flight' | 'delivered' | 'dead' | 'expired';
  account: string;
  error: string;
}

type Selection = { account?: string | undefined; states?: readonly PurgeableState[] | undefined };

/** An outbox in so few words that they are seen to be right: a list that is searched from its beginning each time. */
export class OutboxModel implements Outbox {
  readonly durable = false;
  readonly #maxMessages: number;
  #rows: Row[] = [];
  #newest = 0;
  readonly #purged: { account: string; as: 'dead' | 'expired' }[] = [];

  constructor({ maxMessages }: { maxMessages: number }) {
    this.#maxMessages = maxMessages;
  }

  put({ account = '', ...entry }: OutboxEntry, { admitted }: { admitted: boolean }) {
    if (this.#rows.some(row => row.key === entry.key && row.account === account)) return 'duplicate';
    if (!admitted && this.#in(undefined, 'pending', 'in_flight').length >= this.#maxMessages) return 'full';
    this.#rows.push({ ...entry, account, state: 'pending', error: '', position: ++this.#newest });
    return 'accepted';
  }

  claim({ account = '', maxMessages, maxBytes, onePerConversation, except }: ClaimLimits) {
    const busy = new Set(this.#in(account, 'in_flight').map(resolveConversationId));
    const free = this.#in(account, 'pending').filter(
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

  settle(settlements: readonly Settlement[], account = '') {
    for (const settlement of settlements) {
      const row = this.#in(account, 'in_flight').find(({ key }) => key === settlement.key);
      if (row) Object.assign(row, { refused: undefined, ...settlement, state: settlement.to });
    }
    return 'settled' as const;
  }

  stats(account?: string) {
    const outstanding = this.#in(account, 'pending', 'in_flight').length;
    const purged = this.#purged.filter(each => account === undefined || each.account === account);
    return {
      accepted: this.#of(account).length + purged.length,
      pending: this.#in(account, 'pending').length,
      inFlight: this.#in(account, 'in_flight').length,
      delivered: this.#in(account, 'delivered').length,
      deadLettered: this.#in(account, 'dead').length + purged.filter(({ as }) => as === 'dead').length,
      expired: this.#in(account, 'expired').length + purged.filter(({ as }) => as === 'expired').length,
      pendingBytes: total(this.#in(account, 'pending')),
      foreign: this.#in(undefined, 'pending', 'in_flight').length - outstanding,
    };
  }

  progress(position = this.#newest, account: string | undefined = undefined) {
    const upTo = (rows: Row[]) => rows.filter(row => row.position <= position).length;
    const outstanding = upTo(this.#in(account, 'pending', 'in_flight'));
    return { position, outstanding, deadLetters: upTo(this.#in(account, 'dead', 'expired')) };
  }

  deadLetters({ after = 0, limit = 100, account }: Parameters<Outbox['deadLetters']>[0] = {}) {
    const letters = this.#in(account, 'dead', 'expired').filter(row => row.position > after);
    return letters.slice(0, limit).map(row => ({ ...row, diedAt: 0 }) as Row & DeadLetter);
  }

  replay(keys?: readonly string[], { account }: Selection = {}) {
    const letters = this.#in(account, 'dead', 'expired').filter(({ key }) => keys?.includes(key) ?? true);
    for (const row of letters) Object.assign(row, { state: 'pending', attempts: 0, position: ++this.#newest });
    return letters.length;
  }

  purge(keys?: readonly string[], { account, states = ['dead', 'expired'] }: Selection = {}) {
    const isMeant = ({ state, refused }: Row) =>
      states.includes(state as PurgeableState) ||
      (state === 'pending' && refused !== undefined && states.includes('held'));
    const purged = this.#of(account).filter(row => isMeant(row) && (keys?.includes(row.key) ?? true));
    for (const { account, state } of purged)
      this.#purged.push({ account, as: state === 'expired' ? 'expired' : 'dead' });
    this.#rows = this.#rows.filter(row => !purged.includes(row));
    return purged.length;
  }

  adopt(from: string, to: string) {
    if (this.#in(from, 'in_flight').length > 0) return 'busy';
    if (from === to) return 0;
    const moving = this.#in(from, 'pending', 'dead', 'expired');
    const known = new Set(this.#of(to).map(({ key }) => key));
    this.#rows = this.#rows.filter(row => !moving.includes(row) || !known.has(row.key));
    for (const row of moving) row.account = to;
    return moving.filter(({ key }) => !known.has(key)).length;
  }

  close() {
    return this.#in(undefined, 'pending', 'in_flight');
  }

  #of(account: string | undefined): Row[] {
    return this.#rows.filter(row => account === undefined || row.account === account);
  }

  #in(account: string | undefined, ...states: Row['state'][]): Row[] {
    return this.#of(account)
      .filter(({ state }) => states.includes(state))
      .sort((a, b) => a.position - b.position);
  }
}

const resolveConversationId = (entry: OutboxEntry) => entry.message.conversationId;
const total = (entries: readonly OutboxEntry[]) => entries.reduce((sum, { bytes }) => sum + bytes, 0);

export const ACCOUNTS = ['one', 'two'] as const;
const account = fc.constantFrom(...ACCOUNTS);
const anyAccount = fc.option(account, { nil: undefined });
const key = fc.integer({ min: 0, max: 30 }).map(n => `k${n}`);
const conversation = fc.integer({ min: 0, max: 3 }).map(n => `c${n}`);
const someKeys = fc.option(fc.array(key, { maxLength: 4 }), { nil: undefined });
const outcome = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ to: 'delivered' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({
      to: fc.constant('pending' as const),
      attempts: fc.nat(9),
      maybeStored: fc.boolean(),
      refused: fc.option(fc.string(), { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ to: fc.constantFrom('dead' as const, 'expired' as const), error: fc.string() }) },
);

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('put' as const),
      account,
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
      account,
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
      account,
      outcomes: fc.array(fc.tuple(key, outcome), { minLength: 1, maxLength: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('replay' as const), account, keys: someKeys }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('purge' as const),
      account: anyAccount,
      keys: someKeys,
      states: fc.option(fc.uniqueArray(fc.constantFrom('pending', 'held', 'dead', 'expired'), { maxLength: 3 }), {
        nil: undefined,
      }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('adopt' as const), from: account, to: account }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('progress' as const),
      account: anyAccount,
      position: fc.option(fc.nat(40), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('deadLetters' as const),
      account: anyAccount,
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
      const { account, key, conversation, bytes, admitted } = operation;
      return outbox.put(anEntry(key, conversation, { account, bytes }), { admitted });
    }
    case 'claim': {
      const claimed = await outbox.claim({ ...operation, except: new Set(operation.except) });
      return claimed.map(({ key, account, position, attempts, maybeStored, refused }) => ({
        ...{ key, account, position },
        ...{ attempts, maybeStored, refused },
      }));
    }
    case 'settle': {
      const first = new Map(operation.outcomes.toReversed());
      return outbox.settle(
        [...first].map(([key, outcome]) => ({ key, ...outcome })),
        operation.account,
      );
    }
    case 'replay':
      return outbox.replay(operation.keys, operation);
    case 'purge':
      return outbox.purge(operation.keys, operation);
    case 'adopt':
      return outbox.adopt?.(operation.from, operation.to);
    case 'progress':
      return outbox.progress(operation.position, operation.account);
    case 'deadLetters': {
      const letters = await outbox.deadLetters(operation);
      return letters.map(({ key, position, state, error, attempts }) => ({ key, position, state, error, attempts }));
    }
  }
}
