import { addUsage, type TurnDetails, type Usage } from '../recorder/metadata.js';
import { readFinishReason, readUsage } from './model-spec.js';

/** What the steps of one answer took together, and how the latest of them ended. */
export class StepTotals {
  #steps = 0;
  #usage: Usage = {};
  #finishReason: string | undefined;

  /** A step has finished. */
  add({ usage, finishReason }: { readonly usage?: unknown; readonly finishReason?: unknown }): void {
    this.#steps++;
    this.#usage = addUsage(this.#usage, readUsage(usage));
    this.#finishReason = readFinishReason(finishReason);
  }

  /** Nothing before the first step. */
  get details(): TurnDetails {
    return this.#steps === 0 ? {} : { steps: this.#steps, usage: this.#usage, finishReason: this.#finishReason };
  }
}
