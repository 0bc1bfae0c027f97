import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Decision, type DecisionContext, decide, type GiveUpOptions } from '../../src/delivery/decide.js';
import { FlushTracker } from '../../src/delivery/flush-tracker.js';
import { Settlements } from '../../src/delivery/settlements.js';
import { type Loss, memoryOutbox, type Settlement } from '../../src/index.js';
import { aClaim, dead, delivered, errors, unclear } from './failures.js';

const OPTIONS: GiveUpOptions = { maxAgeMs: 1000, maxAttempts: 3, ifUnknown: 'resend' };
const CONTEXT: DecisionContext = { ageMs: 0, unreadable: 0, isProven: false, isAccountToBlame: false };
const decisions = (outcomes: Parameters<typeof decide>[0][]): Decision[] =>
  outcomes.map(outcome => decide(outcome, OPTIONS, CONTEXT));

let log: string[];
let losses: Loss[];
let settled: (readonly Settlement[])[];
let answer: () => ReturnType<ReturnType<typeof memoryOutbox>['settle']> | 'stale' | Promise<'settled' | 'stale'>;
let settlements: Settlements;
let flushes: FlushTracker;

beforeEach(() => {
  log = [];
  losses = [];
  settled = [];
  answer = () => 'settled';
  const outbox = {
    ...memoryOutbox(),
    settle(given: readonly Settlement[]) {
      settled.push(given);
      return answer();
    },
  };
  const write = (level: string) => (message: string) => void log.push(`${level} ${message}`);
  flushes = new FlushTracker(outbox);
  vi.spyOn(flushes, 'settled');
  settlements = new Settlements({
    outbox,
    flushes,
    logger: { info: write('info'), warn: write('warn'), error: write('error') },
    onLoss: loss => losses.push(loss),
  });
});

describe('settling', () => {
  it('passes every decision on to the outbox and to whoever flushes', async () => {
    const given = decisions([...delivered(aClaim('a')), ...dead(aClaim('b'))]);
    await settlements.settle(given);
    expect(settled).toEqual([given.map(({ settlement }) => settlement)]);
    expect(flushes.settled).toHaveBeenCalledExactlyOnceWith(given);
    expect(settlements.isOwed).toBe(false);
  });

  it('of nothing does not trouble the outbox', async () => {
    await settlements.settle([]);
    expect(settled).toEqual([]);
    expect(flushes.settled).not.toHaveBeenCalled();
  });

  it('reports what is lost, by key, role, conversation and error', async () => {
    await settlements.settle(decisions([...delivered(aClaim('a')), ...dead(aClaim('b', 'c9'))]));
    expect(losses).toEqual([
      { reason: 'rejected', role: 'user', conversationId: 'c9', messageKey: 'b', error: errors.message },
    ]);
    expect(log).toEqual([
      'error message b is not delivered (rejected), and kept as a dead letter: Synap refused the input (422)',
    ]);
  });

  it('counts each message that may be stored once more', async () => {
    const maybe = aClaim('a', 'c', { maybeStored: true });
    await settlements.settle(decisions([...delivered(maybe), ...delivered(aClaim('b'))]));
    expect(settlements.possibleDuplicates).toBe(1);
    await settlements.settle(decisions(unclear(errors.unanswered, maybe)));
    expect(settlements.possibleDuplicates).toBe(2);
    expect(losses).toEqual([]);
  });
});

describe('an outbox that fails to settle', () => {
  const fails = () => {
    throw new Error('the disk is full');
  };

  it('rejects, is owed what it did not take, and gets it again with the next', async () => {
    answer = fails;
    await expect(settlements.settle(decisions(dead(aClaim('a'))))).rejects.toThrow('the disk is full');
    expect(settlements.isOwed).toBe(true);
    expect(losses).toEqual([]);
    answer = () => 'settled';
    await settlements.settle(decisions(delivered(aClaim('b'))));
    expect(settled.at(-1)?.map(({ key, to }) => [key, to])).toEqual([
      ['a', 'dead'],
      ['b', 'delivered'],
    ]);
    expect(settlements.isOwed).toBe(false);
    expect(losses).toHaveLength(1);
  });

  it('gets it again without anything new', async () => {
    answer = fails;
    await settlements.settle(decisions(delivered(aClaim('a')))).catch(() => {});
    answer = () => 'settled';
    await settlements.settle([]);
    expect(settled).toHaveLength(2);
    expect(settlements.isOwed).toBe(false);
  });
});

describe('an outbox that answers later', () => {
  it('settles one after another, and each decision once', async () => {
    const first = Promise.withResolvers<'settled'>();
    answer = () => first.promise;
    const one = settlements.settle(decisions(dead(aClaim('a'))));
    await vi.waitFor(() => expect(settled).toHaveLength(1));
    answer = () => 'settled';
    const two = settlements.settle(decisions(dead(aClaim('b'))));
    await Promise.resolve();
    expect(settled).toHaveLength(1);
    expect(settlements.isOwed).toBe(true);
    first.resolve('settled');
    await Promise.all([one, two]);
    expect(settled.map(given => given.map(({ key }) => key))).toEqual([['a'], ['b']]);
    expect(losses.map(({ messageKey }) => messageKey)).toEqual(['a', 'b']);
  });
});

it('what another process delivers by now is dropped, and counted by that one', async () => {
  answer = () => 'stale';
  await settlements.settle(decisions([...dead(aClaim('a')), ...delivered(aClaim('b', 'c', { maybeStored: true }))]));
  expect(log).toEqual(['info outbox lease lost: another process is delivering']);
  expect(losses).toEqual([]);
  expect(settlements.possibleDuplicates).toBe(0);
  expect(flushes.settled).not.toHaveBeenCalled();
  expect(settlements.isOwed).toBe(false);
});
