// What a transcript may look like.

import { expect } from 'vitest';

/** A message that may be recorded or not: the design leaves it open. */
interface Maybe {
  readonly maybe: string | RegExp;
}

/** A message as `role (status): text`, the status left out where it is `complete`. */
export type Line = string | RegExp | Maybe;

/** The wanted lines, those that may be there or not left out where they aren't. */
export function fitted(transcript: readonly Line[], lines: readonly string[]): unknown[] {
  const wanted: unknown[] = [];
  for (const line of transcript) {
    const optional = typeof line === 'object' && 'maybe' in line;
    const pattern = optional ? line.maybe : line;
    const there = lines[wanted.length];
    const fits =
      there !== undefined && (typeof pattern === 'string' ? pattern === there : new RegExp(pattern).test(there));
    if (optional && !fits) continue;
    wanted.push(typeof pattern === 'string' ? pattern : expect.stringMatching(pattern));
  }
  return wanted;
}
