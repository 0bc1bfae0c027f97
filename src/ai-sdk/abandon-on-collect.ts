import type { Turn } from '../recorder/turn.js';

// ai 7 tells nobody when the consumer of a stream goes away: the stream is just never pulled again. When the garbage
// collector takes it, it is certain that nobody will.
// Workers have none before the compatibility date 2025-05-05.
const registry =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<WeakRef<Turn>>(turn => turn.deref()?.abandon());

/**
 * Abandons the turn when `token` is garbage-collected: something that lives for as long as the answer can go on, and
 * that the turn does not hold. The recorder holds the turn for as long as it is open.
 */
export function abandonOnCollect(token: object, turn: Turn): void {
  registry?.register(token, new WeakRef(turn));
}
