// Which fault meets which request, from a seed.

import { createHash } from 'node:crypto';

/** What can go wrong with one request, and the odd ways in which it can go right (`201`, `204`, `200 broken json`). */
export const FAULTS = [
  /** The friendly answer, late. */
  'late',
  '429 seconds',
  '429 date',
  '429 bare',
  '500',
  '502 html',
  '503',
  /** Stored, with an answer that is cut in its middle. */
  '200 broken json',
  '201',
  '204',
  /** Some of a batch are refused, the others stored; behind a refused one, the rest of its conversation is refused too. */
  'partial',
  /** A batch's results don't match its messages. */
  'wrong count',
  '401',
  '402',
  'closed before reading',
  'closed after reading',
  'closed after storing',
  /** Stored; the connection breaks in the middle of the answer. */
  'closed in answer',
  /** Stored; the answer comes a byte at a time. */
  'drip',
  /** No answer ever. */
  'silent',
] as const;

export type Fault = (typeof FAULTS)[number];

/** How often each fault strikes, of all requests: 0.01 is one in a hundred. What is left over is answered as it should be. */
export type FaultWeights = Partial<Record<Fault, number>>;

/** What befalls one request. */
export interface FaultPlan {
  readonly fault: Fault | 'none';
  /** Whether the messages are stored, where the fault leaves that open. */
  readonly stores: boolean;
  /** Whether a connection that closes is reset (RST) instead of ended (FIN). */
  readonly resets: boolean;
}

/** A number in [0, 1), always the same one for a seed, a request and a question. */
export function chance(seed: number, index: number, question: string): number {
  return createHash('sha256').update(`${seed}/${index}/${question}`).digest().readUInt32BE() / 2 ** 32;
}

/** What befalls the request with this index: a function of seed and weights, whatever the requests before it were. */
export function planOf(seed: number, index: number, weights: FaultWeights): FaultPlan {
  let left = chance(seed, index, 'fault');
  const fault = FAULTS.find(name => {
    left -= weights[name] ?? 0;
    return left < 0;
  });
  return {
    fault: fault ?? 'none',
    stores: chance(seed, index, 'stores') < 0.5,
    resets: chance(seed, index, 'resets') < 0.5,
  };
}

/** The same weight for each of these faults. */
export function evenly(faults: readonly Fault[], weight: number): FaultWeights {
  return Object.fromEntries(faults.map(fault => [fault, weight]));
}
