import type { LossReason } from '../delivery/loss.js';
import { isPromise, type MaybePromise } from '../internal/promises.js';
import type { Acceptance } from './turn-message.js';
import type { TurnOutcome } from './turn-options.js';

/** Counts what became of the messages of a turn. */
export class OutcomeCount {
  #accepted = 0;
  readonly #lost: LossReason[] = [];
  #settling: Promise<unknown> | undefined;

  add(became: MaybePromise<Acceptance>): void {
    if (isPromise(became)) this.#settling = Promise.all([this.#settling, became.then(became => this.add(became))]);
    else if (became === 'accepted') this.#accepted++;
    else if (became !== 'not recorded') this.#lost.push(became);
  }

  /** Resolves when it is known of each that was added before. */
  async settled(): Promise<TurnOutcome> {
    await this.#settling;
    return { accepted: this.#accepted, lost: [...this.#lost] };
  }
}
