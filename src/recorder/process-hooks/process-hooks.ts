import type { TurnObserver } from '../turn.js';
import { type ExitHooks, onExit } from './exit.js';
import { onSignals, type SignalHooks } from './signals.js';

/**
 * What a recorder does with its process: it delivers when the process ends by itself, when it exits, and when one of the
 * signals comes. Somebody must keep the hooks: what is garbage-collected is not called.
 */
export class ProcessHooks implements TurnObserver {
  readonly #hooks: ExitHooks & SignalHooks;
  readonly #forgetExit: () => void;
  readonly #signals: ReturnType<typeof onSignals>;

  constructor(hooks: ExitHooks & SignalHooks, signals: readonly NodeJS.Signals[]) {
    this.#hooks = hooks;
    this.#forgetExit = onExit(this.#hooks);
    this.#signals = onSignals(signals, this.#hooks);
  }

  opened(): void {
    this.#signals.turnBegins();
  }

  ended(): void {}

  forget(): void {
    this.#forgetExit();
    this.#signals.forget();
  }
}
