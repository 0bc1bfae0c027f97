import type { Identity } from '../recorder/identity.js';
import { InvalidInputError } from '../synap/errors.js';

const MINUTE = 60_000;
const IDLE_MS = 5 * MINUTE;

/** What a wrapper is given: the identity to fall back to, and how to treat answers that nobody reads. */
export interface WrapOptions extends Identity {
  /**
   * Milliseconds after which an answer that nobody works on is recorded as `abandoned`: no model, no tool and no reader
   * has it in hand. Default 300,000.
   */
  idleMs?: number | undefined;
}

/** @throws {@link InvalidInputError} `idleMs` is no time to wait */
export function checkWrapOptions({ idleMs }: WrapOptions): void {
  if (idleMs === undefined || (Number.isFinite(idleMs) && idleMs > 0)) return;
  throw new InvalidInputError(`idleMs must be a number of milliseconds above 0, but is ${idleMs}`, { field: 'idleMs' });
}

/** The idle time of a call: that of the nearest wrapper that has one. */
export function idleMsOf(wrappers: readonly (WrapOptions | undefined)[]): number {
  return wrappers.find(options => options?.idleMs !== undefined)?.idleMs ?? IDLE_MS;
}
