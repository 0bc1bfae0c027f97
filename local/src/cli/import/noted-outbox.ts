import { type ClaimLimits, memoryOutbox, type Outbox, type Settlement } from 'synap-recorder';
import type { ImportState, Progress } from './import-state.js';

export interface NotedOutboxOptions {
  readonly state: ImportState;
  /** Whether nothing more may be sent. */
  stopped(): boolean;
  /** Called with what became of messages, once that is written down. */
  settled(settlements: readonly Settlement[]): void;
}

/** An outbox in memory that writes each message into the state before it is sent, and then what became of it. */
export function notedOutbox({ state, stopped, settled }: NotedOutboxOptions): Outbox {
  const memory = memoryOutbox({ maxMessages: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY });
  return {
    ...memory,
    async claim(limits: ClaimLimits) {
      if (stopped()) return [];
      const claimed = await memory.claim(limits);
      state.note(claimed.map(({ key }) => [key, 'maybe']));
      return claimed;
    },
    async settle(settlements) {
      const answer = await memory.settle(settlements);
      state.note(settlements.map(settlement => [settlement.key, progressAfter(settlement)]));
      settled(settlements);
      return answer;
    },
  };
}

function progressAfter(settlement: Settlement): Progress | undefined {
  switch (settlement.to) {
    case 'delivered':
      return 'delivered';
    case 'pending':
      return settlement.maybeStored ? 'maybe' : undefined;
    case 'dead':
      return undefined;
    case 'expired':
      return 'maybe';
  }
}
