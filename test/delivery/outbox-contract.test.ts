import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { memoryOutbox, type Outbox } from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { runs } from '../support/runs.js';
import { ACCOUNTS, type Operation, OutboxModel, operations, perform } from './outbox-model.js';
import {
  addDeadLetter,
  anEntry,
  answeringLater,
  balancedStats,
  claimKeys,
  deliver,
  keysOf,
  NO_LIMITS,
  putAll,
  putBack,
  tempFile,
  WHOLE_TURN,
} from './outbox-support.js';

type Limits = { maxMessages?: number; maxBytes?: number };

const outboxes: [string, (limits?: Limits) => Outbox][] = [
  ['in memory', limits => memoryOutbox(limits)],
  ['in a file', limits => sqliteOutbox({ path: tempFile(), ...limits })],
  ['that answers later', limits => answeringLater(memoryOutbox(limits))],
  ['in a file that answers later', limits => answeringLater(sqliteOutbox({ path: tempFile(), ...limits }))],
];

describe.each(outboxes)('an outbox %s', (_name, make) => {
  function open(limits?: Limits): Outbox {
    const outbox = make(limits);
    onTestFinished(async () => void (await outbox.close()));
    return outbox;
  }

  describe('put', () => {
    it('takes an entry, which comes out as it went in', async () => {
      const outbox = open();
      const entry = anEntry('k\0 ✓ 😀', 'c1', { bytes: 7, attempts: 3, maybeStored: true });
      entry.message.metadata = { tags: ['a', { b: null }], nul: 'a\0b', half: '\ud800' };
      expect(await outbox.put(entry, WHOLE_TURN)).toBe('accepted');
      const [claimed] = await outbox.claim(NO_LIMITS);
      expect(claimed).toEqual({ ...entry, position: expect.any(Number), ageMs: expect.any(Number) });
      expect(await deliver(outbox, entry.key)).toBe('settled');
      expect(balancedStats(outbox)).toMatchObject({ delivered: 1, inFlight: 0 });
    });

    it('says how long an entry has waited while somebody delivered', async () => {
      vi.useFakeTimers({ toFake: ['Date'] });
      onTestFinished(() => void vi.useRealTimers());
      const outbox = open();
      await putAll(outbox, 'a');
      const ageOf = async () => (await outbox.claim(NO_LIMITS))[0]?.ageMs;
      expect(await ageOf()).toBe(0);
      vi.setSystemTime(Date.now() + 1000);
      await putBack(outbox, 'a');
      vi.setSystemTime(Date.now() + 4000);
      expect(await ageOf()).toBe(5000);
      await addDeadLetter(outbox, 'a');
      vi.setSystemTime(Date.now() + 4000);
      await outbox.replay();
      expect(await ageOf()).toBe(0);
    });

    it.each(['pending', 'in flight', 'a dead letter', 'delivered'])('knows a key that is %s', async state => {
      const outbox = open();
      await putAll(outbox, 'a');
      if (state !== 'pending') await claimKeys(outbox);
      if (state === 'a dead letter') await addDeadLetter(outbox, 'a');
      if (state === 'delivered') await deliver(outbox, 'a');
      expect(await outbox.put(anEntry('a', 'c2'), WHOLE_TURN)).toBe('duplicate');
      expect(balancedStats(outbox)).toMatchObject({ accepted: 1 });
    });

    it('refuses the newest when there are too many', async () => {
      const outbox = open({ maxMessages: 2 });
      await putAll(outbox, 'a', 'b');
      await claimKeys(outbox, { maxMessages: 1 });
      expect(await outbox.put(anEntry('c'), WHOLE_TURN)).toBe('full');
      expect(balancedStats(outbox)).toMatchObject({ accepted: 2 });
      await deliver(outbox, 'a');
      expect(await outbox.put(anEntry('c'), WHOLE_TURN)).toBe('accepted');
    });

    it('refuses the newest when it is too large', async () => {
      const outbox = open({ maxBytes: 250 });
      await putAll(outbox, 'a', 'b');
      expect(await outbox.put(anEntry('c'), WHOLE_TURN)).toBe('full');
      expect(await outbox.put(anEntry('c', 'c1', { bytes: 50 }), WHOLE_TURN)).toBe('accepted');
    });

    it('takes the rest of a turn even when it is full', async () => {
      const outbox = open({ maxMessages: 1 });
      await putAll(outbox, 'a');
      expect(await outbox.put(anEntry('b'), { admitted: true })).toBe('accepted');
      expect(await claimKeys(outbox)).toEqual(['a', 'b']);
    });
  });

  describe('claim', () => {
    it('gives nothing when there is nothing', async () => {
      const outbox = open();
      expect(await claimKeys(outbox)).toEqual([]);
      await putAll(outbox, 'a');
      await claimKeys(outbox);
      expect(await claimKeys(outbox)).toEqual([]);
    });

    it('gives the oldest, in the order in which they were put', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c2', 'c:c1', 'd:c3', 'e:c2');
      expect(await claimKeys(outbox)).toEqual(['a', 'b', 'c', 'd', 'e']);
    });

    it('gives as many as it may', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c1', 'c:c1');
      expect(await claimKeys(outbox, { maxMessages: 2 })).toEqual(['a', 'b']);
    });

    it('gives as many bytes as it may, but always at least one', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c2', 'c:c3');
      expect(await claimKeys(outbox, { maxBytes: 1 })).toEqual(['a']);
      expect(await claimKeys(outbox, { maxBytes: 200 })).toEqual(['b', 'c']);
    });

    it('does not pass over a large one', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1');
      await outbox.put(anEntry('b', 'c2', { bytes: 500 }), WHOLE_TURN);
      await putAll(outbox, 'c:c3');
      expect(await claimKeys(outbox, { maxBytes: 250 })).toEqual(['a']);
    });

    it('gives one of each conversation before a second of any', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c1', 'c:c1', 'd:c2', 'e:c3');
      expect(await claimKeys(outbox, { maxMessages: 4 })).toEqual(['a', 'b', 'd', 'e']);
    });

    it('gives no second of any conversation, if asked so', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c1', 'c:c2');
      expect(await claimKeys(outbox, { onePerConversation: true })).toEqual(['a', 'c']);
    });

    it('leaves out the conversations that must wait', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c2', 'c:c1', 'd:c3');
      expect(await claimKeys(outbox, { maxMessages: 2, except: new Set(['c1']) })).toEqual(['b', 'd']);
      expect(await claimKeys(outbox)).toEqual(['a', 'c']);
    });

    it('never gives from a conversation of which something is in flight', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c1', 'c:c2');
      expect(await claimKeys(outbox, { maxMessages: 1 })).toEqual(['a']);
      expect(await claimKeys(outbox)).toEqual(['c']);
      await putAll(outbox, 'd:c1', 'e:c2');
      expect(await claimKeys(outbox)).toEqual([]);
      await deliver(outbox, 'a');
      expect(await claimKeys(outbox)).toEqual(['b', 'd']);
    });

    it('gives positions that grow with each put', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c2', 'c:c3');
      const positions = (await outbox.claim(NO_LIMITS)).map(({ position }) => position);
      await deliver(outbox, 'a', 'b', 'c');
      await putAll(outbox, 'd:c1');
      positions.push(...(await outbox.claim(NO_LIMITS)).map(({ position }) => position));
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
      expect(positions).toHaveLength(4);
    });
  });

  describe('settle', () => {
    it('puts back an entry where it stood, with what is known about it', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c2', 'c:c1');
      await claimKeys(outbox, { maxMessages: 2 });
      await outbox.settle([{ key: 'a', to: 'pending', attempts: 4, maybeStored: true }]);
      expect(await outbox.claim(NO_LIMITS)).toMatchObject([
        { key: 'a', attempts: 4, maybeStored: true },
        { key: 'c', attempts: 0, maybeStored: false },
      ]);
    });

    it('keeps a conversation back until the last of it has come to rest', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c1', 'c:c1', 'd:c1');
      await claimKeys(outbox, { maxMessages: 3 });
      await putBack(outbox, 'b');
      await deliver(outbox, 'a');
      expect(await claimKeys(outbox)).toEqual([]);
      await putBack(outbox, 'c');
      expect(await claimKeys(outbox)).toEqual(['b', 'c', 'd']);
    });

    it('goes on behind a dead letter', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c1');
      await claimKeys(outbox, { maxMessages: 1 });
      await addDeadLetter(outbox, 'a');
      expect(await claimKeys(outbox)).toEqual(['b']);
    });

    it('changes nothing for an entry that is not in flight, or settled before', async () => {
      const outbox = open();
      await putAll(outbox, 'a', 'b');
      await claimKeys(outbox, { maxMessages: 1 });
      await deliver(outbox, 'a');
      const before = balancedStats(outbox);
      expect(await deliver(outbox, 'a', 'b', 'unknown')).toBe('settled');
      expect(await addDeadLetter(outbox, 'a')).toBe('settled');
      expect(balancedStats(outbox)).toEqual(before);
      expect(await outbox.settle([])).toBe('settled');
    });
  });

  describe('dead letters', () => {
    async function withDeadLetters(...keys: string[]) {
      const outbox = open();
      await putAll(outbox, ...keys);
      await claimKeys(outbox);
      const plain = keys.map(key => key.split(':')[0] ?? '');
      // Not in the order in which they stood.
      await addDeadLetter(outbox, ...plain.toReversed());
      return outbox;
    }

    it('are listed with their reasons', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c2');
      await claimKeys(outbox);
      const from = Date.now();
      await outbox.settle([
        { key: 'b', to: 'expired', error: 'took too long' },
        { key: 'a', to: 'dead', error: 'refused\0' },
      ]);
      const letters = await outbox.deadLetters();
      expect(letters).toMatchObject([
        { key: 'a', state: 'dead', error: 'refused\0', message: anEntry('a').message, attempts: 0 },
        { key: 'b', state: 'expired', error: 'took too long', acceptedAt: anEntry('b').acceptedAt },
      ]);
      for (const { diedAt } of letters) expect(diedAt).toBeGreaterThanOrEqual(from);
      expect(balancedStats(outbox)).toMatchObject({ deadLettered: 1, expired: 1, pending: 0, inFlight: 0 });
    });

    it('are listed page by page, oldest first', async () => {
      const outbox = await withDeadLetters('a:c1', 'b:c2', 'c:c3');
      const first = await outbox.deadLetters({ limit: 2 });
      expect(keysOf(first)).toEqual(['a', 'b']);
      expect(keysOf(await outbox.deadLetters({ after: first[1]?.position }))).toEqual(['c']);
    });

    it('go to the end of the line when they are replayed, in their order', async () => {
      const outbox = await withDeadLetters('a:c1', 'b:c2', 'c:c1', 'd:c3');
      await putAll(outbox, 'e:c1');
      const { position: newest } = await outbox.progress();
      expect(await outbox.replay(['c', 'a', 'a', 'unknown'])).toBe(2);
      expect(keysOf(await outbox.deadLetters())).toEqual(['b', 'd']);
      expect(balancedStats(outbox)).toMatchObject({ accepted: 5, pending: 3, deadLettered: 2 });
      const [e, ...replayed] = await outbox.claim(NO_LIMITS);
      expect(e?.key).toBe('e');
      expect(keysOf(replayed)).toEqual(['a', 'c']);
      for (const { position } of replayed) expect(position).toBeGreaterThan(newest);
    });

    it('start anew when they are replayed, but are still known to be perhaps stored', async () => {
      const outbox = open();
      await outbox.put(anEntry('a', 'c1', { attempts: 5, maybeStored: true }), WHOLE_TURN);
      await claimKeys(outbox);
      await addDeadLetter(outbox, 'a');
      const from = Date.now();
      expect(await outbox.replay()).toBe(1);
      const [entry] = await outbox.claim(NO_LIMITS);
      expect(entry).toMatchObject({ key: 'a', attempts: 0, maybeStored: true });
      expect(entry?.acceptedAt).toBeGreaterThanOrEqual(from);
    });

    it('are all replayed when no keys are given', async () => {
      const outbox = await withDeadLetters('a:c1', 'b:c2', 'c:c1');
      expect(await outbox.replay()).toBe(3);
      expect(await claimKeys(outbox)).toEqual(['a', 'b', 'c']);
      expect(await outbox.replay()).toBe(0);
    });

    it('are gone when they are purged, and stay in the stats', async () => {
      const outbox = await withDeadLetters('a:c1', 'b:c2', 'c:c3');
      expect(await outbox.purge(['b', 'unknown'])).toBe(1);
      expect(keysOf(await outbox.deadLetters())).toEqual(['a', 'c']);
      expect(await outbox.purge()).toBe(2);
      expect(await outbox.replay()).toBe(0);
      expect(balancedStats(outbox)).toMatchObject({ accepted: 3, deadLettered: 3 });
      expect(await outbox.progress()).toMatchObject({ outstanding: 0, deadLetters: 0 });
      expect(await outbox.put(anEntry('a'), WHOLE_TURN)).toBe('accepted');
    });
  });

  describe('progress', () => {
    it('says how far the line has come up to a position', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c2', 'c:c3');
      const { position, ...rest } = await outbox.progress();
      expect(rest).toEqual({ outstanding: 3, deadLetters: 0 });
      await putAll(outbox, 'd:c4', 'e:c5');
      expect(await outbox.progress(position)).toEqual({ position, outstanding: 3, deadLetters: 0 });
      await claimKeys(outbox);
      await deliver(outbox, 'a', 'd');
      await addDeadLetter(outbox, 'b', 'e');
      expect(await outbox.progress(position)).toEqual({ position, outstanding: 1, deadLetters: 1 });
      expect(await outbox.progress()).toMatchObject({ outstanding: 1, deadLetters: 2 });
    });

    it('counts an entry that was put back where it stands', async () => {
      const outbox = open();
      await putAll(outbox, 'a');
      const { position } = await outbox.progress();
      await putAll(outbox, 'b');
      await claimKeys(outbox);
      await putBack(outbox, 'a', 'b');
      expect(await outbox.progress(position)).toMatchObject({ outstanding: 1 });
    });
  });

  describe('the stats', () => {
    it('count bytes that are pending', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c2');
      expect(balancedStats(outbox)).toMatchObject({ pending: 2, pendingBytes: 200 });
      await claimKeys(outbox, { maxMessages: 1 });
      expect(balancedStats(outbox)).toMatchObject({ pending: 1, inFlight: 1, pendingBytes: 100 });
      await putBack(outbox, 'a');
      expect(balancedStats(outbox)).toMatchObject({ pending: 2, inFlight: 0, pendingBytes: 200 });
    });

    it('account for all that was accepted, what is lost by closing included', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c2', 'c:c3', 'd:c4');
      await claimKeys(outbox, { maxMessages: 3 });
      await deliver(outbox, 'a');
      await addDeadLetter(outbox, 'b');
      const lost = await outbox.close();
      const { accepted, pending, inFlight, delivered, deadLettered } = outbox.stats();
      expect(keysOf(lost)).toEqual(outbox.durable && outbox.pollMs ? [] : ['c', 'd']);
      expect({ accepted, delivered, deadLettered, inFlight }).toEqual({
        accepted: 4,
        delivered: 1,
        deadLettered: 1,
        inFlight: 0,
      });
      expect(pending + lost.length).toBe(2);
    });
  });

  describe('accounts', () => {
    const put = async (outbox: Outbox, account: string, ...entries: string[]) => {
      for (const entry of entries) {
        const [key = '', conversation] = entry.split(':');
        expect(await outbox.put(anEntry(key, conversation, { account }), WHOLE_TURN)).toBe('accepted');
      }
    };
    const claim = async (outbox: Outbox, account: string, limits = {}) =>
      keysOf(await outbox.claim({ ...NO_LIMITS, account, ...limits }));
    const settleAll = (outbox: Outbox, account: string, to: 'delivered' | 'dead', ...keys: string[]) =>
      outbox.settle(
        keys.map(key => (to === 'dead' ? { key, to, error: `no ${key}` } : { key, to })),
        account,
      );

    it('have a line each, with the same keys and conversations, side by side', async () => {
      const outbox = open();
      await put(outbox, 'one', 'a:c1', 'b:c1');
      await put(outbox, 'two', 'a:c1', 'c:c1');
      expect(await claim(outbox, 'one', { maxMessages: 1 })).toEqual(['a']);
      expect(await claim(outbox, 'two')).toEqual(['a', 'c']);
      expect(balancedStats(outbox, 'one')).toMatchObject({ accepted: 2, pending: 1, inFlight: 1, foreign: 2 });
      await settleAll(outbox, 'one', 'delivered', 'a', 'c');
      expect(balancedStats(outbox, 'two')).toMatchObject({ accepted: 2, inFlight: 2, delivered: 0, foreign: 1 });
      await settleAll(outbox, 'two', 'delivered', 'a', 'c');
      expect(balancedStats(outbox)).toMatchObject({ accepted: 4, pending: 1, delivered: 3 });
      expect(await claim(outbox, 'three')).toEqual([]);
    });

    it('have their own dead letters and progress', async () => {
      const outbox = open();
      await put(outbox, 'one', 'a:c1', 'b:c2');
      await put(outbox, 'two', 'a:c1');
      await claim(outbox, 'one');
      await claim(outbox, 'two');
      await settleAll(outbox, 'one', 'dead', 'a', 'b');
      await settleAll(outbox, 'two', 'dead', 'a');
      expect(keysOf(await outbox.deadLetters({ account: 'one' }))).toEqual(['a', 'b']);
      expect(await outbox.deadLetters()).toHaveLength(3);
      expect(await outbox.progress(undefined, 'two')).toMatchObject({ outstanding: 0, deadLetters: 1 });
      expect(await outbox.replay(undefined, { account: 'two' })).toBe(1);
      expect(await outbox.purge(['a'], { account: 'one' })).toBe(1);
      expect(balancedStats(outbox, 'one')).toMatchObject({ accepted: 2, deadLettered: 2 });
      expect(await claim(outbox, 'two')).toEqual(['a']);
    });

    it('share the limits', async () => {
      const outbox = open({ maxMessages: 2 });
      await put(outbox, 'one', 'a', 'b');
      expect(await outbox.put(anEntry('c', 'c1', { account: 'two' }), WHOLE_TURN)).toBe('full');
    });

    it('can be adopted by another: what waits and what is dead moves, each to its place', async () => {
      const outbox = open();
      await put(outbox, 'one', 'sent:c9', 'a:c1', 'dead:c2');
      await put(outbox, 'two', 'b:c1', 'twice:c3');
      await put(outbox, 'one', 'c:c1', 'twice:c1');
      await claim(outbox, 'one', { maxMessages: 3 });
      expect(await outbox.adopt?.('one', 'two')).toBe('busy');
      await settleAll(outbox, 'one', 'delivered', 'sent');
      await settleAll(outbox, 'one', 'dead', 'dead');
      await outbox.settle([{ key: 'a', to: 'pending', attempts: 1, maybeStored: true }], 'one');
      expect(await outbox.adopt?.('one', 'two')).toBe(3);
      expect(balancedStats(outbox, 'one')).toMatchObject({ accepted: 1, delivered: 1, pending: 0, deadLettered: 0 });
      expect(balancedStats(outbox, 'two')).toMatchObject({ accepted: 5, pending: 4, deadLettered: 1, foreign: 0 });
      expect(await claim(outbox, 'two')).toEqual(['a', 'b', 'twice', 'c']);
      expect(keysOf(await outbox.deadLetters({ account: 'two' }))).toEqual(['dead']);
      expect(await outbox.put(anEntry('sent', 'c9', { account: 'one' }), WHOLE_TURN)).toBe('duplicate');
    });

    it('that are one are known by both names from then on', async () => {
      const outbox = open();
      await put(outbox, 'key', 'sent:c9', 'a:c1');
      await claim(outbox, 'key', { maxMessages: 1 });
      await settleAll(outbox, 'key', 'delivered', 'sent');
      await put(outbox, 'lasting', 'b:c1');
      expect(await outbox.adopt?.('key', 'lasting', { isAlias: true })).toBe(1);
      expect(balancedStats(outbox, 'key')).toMatchObject({ accepted: 3, pending: 2, delivered: 1, foreign: 0 });
      expect(balancedStats(outbox, 'lasting')).toEqual(balancedStats(outbox, 'key'));
      expect(await outbox.put(anEntry('sent', 'c9', { account: 'lasting' }), WHOLE_TURN)).toBe('duplicate');
      await put(outbox, 'key', 'c:c1');
      expect(await outbox.accounts?.()).toMatchObject([{ account: 'lasting', aliases: ['key'], pending: 3 }]);
      const claimed = await outbox.claim({ ...NO_LIMITS, account: 'key' });
      expect(claimed.map(({ key, account }) => [key, account])).toEqual([
        ['a', 'key'],
        ['b', 'key'],
        ['c', 'key'],
      ]);
      expect(await settleAll(outbox, 'key', 'delivered', 'a', 'b', 'c')).toBe('settled');
      expect(balancedStats(outbox)).toMatchObject({ accepted: 4, delivered: 4 });
    });
  });

  describe('what Synap refused singly', () => {
    const refuse = (outbox: Outbox, key: string) =>
      outbox.settle([{ key, to: 'pending', attempts: 1, maybeStored: false, refused: `no ${key}\0` }]);

    it('is held in its place, and says why, until it is settled otherwise', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c1');
      await claimKeys(outbox, { maxMessages: 1 });
      await refuse(outbox, 'a');
      expect(balancedStats(outbox)).toMatchObject({ accepted: 2, pending: 2 });
      const claimed = await outbox.claim(NO_LIMITS);
      expect(claimed).toMatchObject([{ key: 'a', attempts: 1, refused: 'no a\0' }, { key: 'b' }]);
      expect(claimed[1]?.refused).toBe(undefined);
      await putBack(outbox, 'a', 'b');
      expect((await outbox.claim(NO_LIMITS)).map(({ refused }) => refused)).toEqual([undefined, undefined]);
    });

    it('can be purged, and so can what is pending; not what is in flight', async () => {
      const outbox = open();
      await putAll(outbox, 'a:c1', 'b:c1', 'c:c2', 'd:c3');
      await claimKeys(outbox, { maxMessages: 1 });
      await refuse(outbox, 'a');
      expect(await outbox.purge(['b'], { states: ['held'] })).toBe(0);
      expect(await outbox.purge(undefined, { states: ['held'] })).toBe(1);
      expect(balancedStats(outbox)).toMatchObject({ accepted: 4, pending: 3, deadLettered: 1, pendingBytes: 300 });
      expect(await outbox.progress()).toMatchObject({ outstanding: 3, deadLetters: 0 });
      expect(await claimKeys(outbox, { maxMessages: 1 })).toEqual(['b']);
      expect(await outbox.purge(undefined, { states: ['pending'] })).toBe(2);
      expect(balancedStats(outbox)).toMatchObject({ accepted: 4, pending: 0, inFlight: 1, deadLettered: 3 });
      expect(await deliver(outbox, 'b')).toBe('settled');
      expect(balancedStats(outbox)).toMatchObject({ accepted: 4, delivered: 1, deadLettered: 3 });
      expect(await outbox.put(anEntry('a'), WHOLE_TURN)).toBe('accepted');
    });
  });

  it('does what its model does, whatever it is told', async () => {
    const follows = async (script: readonly Operation[]) => {
      const limits = { maxMessages: 8 };
      const outbox = make(limits);
      const model = new OutboxModel(limits);
      try {
        for (const operation of script) {
          expect(await perform(outbox, operation)).toEqual(await perform(model, operation));
          for (const account of [undefined, ...ACCOUNTS])
            expect(balancedStats(outbox, account)).toEqual(balancedStats(model, account));
        }
      } finally {
        await outbox.close();
      }
    };
    await fc.assert(fc.asyncProperty(operations, follows), {
      numRuns: runs(60, 600),
      // What it has found by then is small enough to read.
      interruptAfterTimeLimit: 60_000,
    });
  });
});
