import { listened } from './process-events.js';

/** What a recorder does when a signal comes. */
export interface SignalHooks {
  /**
   * Delivers what waits.
   *
   * @param ends whether the process ends as soon as this is done. If not, the app ends it, and may say more until then.
   */
  drain(ends: boolean): Promise<unknown>;
  /** It ends now, whatever is left. */
  exit(): void;
}

/** How long an app may take to end after a signal. One that runs on for longer has put the signal to another use. */
export const SHUTDOWN_MS = 30_000;

/** Within this, a second signal is nobody's impatience: npm passes on the Ctrl-C that the terminal has sent to both. */
const ECHO_MS = 500;

/** How long the signal that was raised again may take to end the process. */
const RAISE_MS = 1000;

const NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 };

// Each listener of this package has it, so that copies of any version know one another's, from any realm: they drain side
// by side, and the last that is done raises the signal.
const OURS = Symbol.for('synap-recorder.signal-listener');

interface Listener {
  [OURS]?: { readonly isEnding: boolean };
}

// The signals that signal-exit 3 and 4 listen to.
const OF_SIGNAL_EXIT = new Set<string>([
  ...['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGUSR2', 'SIGALRM', 'SIGABRT', 'SIGVTALRM', 'SIGXCPU', 'SIGXFSZ'],
  ...['SIGTRAP', 'SIGSYS', 'SIGIOT', 'SIGIO', 'SIGPOLL', 'SIGPWR', 'SIGSTKFLT'],
]);

/** The listeners of signal-exit: it ends the process only when it finds no listeners but its own. */
function signalExitListeners(signal: NodeJS.Signals): number {
  if (!OF_SIGNAL_EXIT.has(signal)) return 0;
  const { __signal_exit_emitter__: version3 } = process as { __signal_exit_emitter__?: { count?: unknown } };
  const version4 = (globalThis as Record<symbol, { count?: unknown } | undefined>)[Symbol.for('signal-exit emitter')];
  let sum = 0;
  for (const count of [version3?.count, version4?.count]) if (typeof count === 'number' && count > 0) sum += count;
  return sum;
}

// Deno and Bun don't tell listeners the number of the signal.
const tellsNumber = typeof process !== 'undefined' && !process.versions?.deno && !process.versions?.bun;

const SWEEP_EVERY = 64;

const watches = new Map<NodeJS.Signals, SignalWatch>();
let kill: (pid: number, signal: NodeJS.Signals) => unknown;

/**
 * One signal, for all recorders of this copy of the package. Ending the process is the app's if it listens to the signal
 * itself; signal-exit and other copies of this package don't count, they only end what nobody else does.
 *
 * ```
 *                signal, nobody else ends the process
 *   listening ───────────────────────────────────────────► ending ── drained, or the signal again ──► raised again
 *    ▲     │                                                 ▲
 *    │     │ signal, the app listens, too                    │ signal again, and the app listens no longer
 *    │     └────────────────────────────────► beside ────────┘
 *    │                                        ▲     │ drained
 *    │ a turn begins,                         │     ▼
 *    └────────────────────────────────────── away: not listening, so that the signal that the app raises again ends it
 *      at once beside, if the signal came less than SHUTDOWN_MS ago
 * ```
 */
class SignalWatch {
  readonly recorders = new Set<WeakRef<SignalHooks>>();
  readonly #signal: NodeJS.Signals;
  readonly #listener: (signal?: unknown, number?: unknown) => void;
  #state: 'listening' | 'beside' | 'ending' | 'away' = 'away';
  #number: number | undefined;
  #receivedAt = 0;
  #drainsAgain = false;
  // A listener that runs once is no longer there when it was called ahead of ours.
  #removedNow = false;

  constructor(signal: NodeJS.Signals) {
    this.#signal = signal;
    const isEnding = () => this.#state === 'ending';
    const mark = {
      get isEnding() {
        return isEnding();
      },
    };
    this.#listener = Object.assign((_: unknown, number: unknown) => this.#received(number), { [OURS]: mark });
  }

  listen(): void {
    // First in line: some of the others call process.exit().
    if (this.#state === 'listening' && process.listeners(this.#signal).includes(this.#listener)) return;
    if (this.#state !== 'listening' && this.#state !== 'away') return;
    process.prependListener(this.#signal, this.#listener);
    this.#state = 'listening';
  }

  /** Something begins that would be lost with the process. */
  turnBegins(): void {
    if (this.#state === 'beside') this.#drainsAgain = true;
    if (this.#state !== 'away') return;
    this.listen();
    if (performance.now() - this.#receivedAt < SHUTDOWN_MS) this.#drainBeside();
  }

  sweep(): void {
    for (const known of this.recorders) if (!known.deref()) this.recorders.delete(known);
  }

  /** The last recorder is gone. */
  stop(): void {
    // One that is ending ends.
    if (this.#state !== 'ending') this.#leave();
  }

  removed(listener: Listener): void {
    if (isOurs(listener)) return;
    this.#removedNow = true;
    queueMicrotask(() => {
      this.#removedNow = false;
    });
  }

  #leave(): void {
    process.off(this.#signal, this.#listener);
    this.#state = 'away';
  }

  #received(number: unknown): void {
    this.#number = typeof number === 'number' ? number : NUMBERS[this.#signal];
    // Somebody is impatient. The first signal is the one that would have ended the process.
    for (const watch of [this, ...watches.values()]) if (watch.#state === 'ending') return watch.#endEarly();
    this.#receivedAt = performance.now();
    if (this.#isEndedByApp()) {
      if (this.#state === 'beside') void this.#drain(false);
      else this.#drainBeside();
      return;
    }
    // The app has emitted it itself: without us, that would have done nothing.
    if (tellsNumber && typeof number !== 'number') return void this.#drain(false);
    this.#state = 'ending';
    void this.#drain(true)
      .then(() => this.#end(false))
      .catch(() => {});
  }

  #drainBeside(): void {
    this.#state = 'beside';
    this.#drainsAgain = false;
    void this.#drain(false).then(() => {
      if (this.#state !== 'beside') return;
      if (this.#drainsAgain) this.#drainBeside();
      else this.#leave();
    });
  }

  async #drain(ends: boolean): Promise<void> {
    const drained = [...this.recorders].map(async recorder => recorder.deref()?.drain(ends));
    await Promise.allSettled(drained);
  }

  #endEarly(): void {
    const early = ECHO_MS - (performance.now() - this.#receivedAt);
    if (early <= 0) this.#endNow(true);
    else setTimeout(() => this.#endNow(false), early);
  }

  #endNow(isCalled: boolean): void {
    if (this.#state !== 'ending') return;
    for (const recorder of this.recorders) recorder.deref()?.exit();
    this.#end(isCalled);
  }

  /** @param isCalled whether the listeners of the signal are just being called */
  #end(isCalled: boolean): void {
    if (this.#state !== 'ending') return;
    this.#leave();
    if (this.#others().some(listener => isOurs(listener) && listener[OURS]?.isEnding)) return;
    if (isCalled && this.#isEndedByApp()) return;
    raise(this.#signal, 128 + (this.#number ?? 0));
  }

  #isEndedByApp(): boolean {
    const apps = this.#others().filter(listener => !isOurs(listener)).length;
    return this.#removedNow || apps > signalExitListeners(this.#signal);
  }

  #others(): Listener[] {
    return (process.listeners(this.#signal) as Listener[]).filter(listener => listener !== this.#listener);
  }
}

function isOurs(listener: Listener): boolean {
  try {
    return listener[OURS] !== undefined;
  } catch {
    return false;
  }
}

function raise(signal: NodeJS.Signals, code: number): void {
  // Linux shields a container's first process from signals that it does not listen to.
  if (process.pid === 1) process.exit(code);
  try {
    kill.call(process, process.pid, signal);
  } catch {
    process.exit(code);
  }
  // Those of signal-exit may keep the process, if the app wants them to.
  if (process.listenerCount(signal) === 0) setTimeout(() => process.exit(code), RAISE_MS);
}

function noteRemoval(event: string | symbol, listener: Listener): void {
  watches.get(event as NodeJS.Signals)?.removed(listener);
}

/**
 * Calls `drain`, as long as the caller keeps the hooks, when one of the signals comes, and then lets the process end as it
 * would have ended without us.
 *
 * @returns `turnBegins`, to be called when there is something to lose again, and `forget`, which takes it all back
 */
export function onSignals(signals: readonly NodeJS.Signals[], hooks: SignalHooks) {
  const reference = typeof WeakRef === 'undefined' ? undefined : new WeakRef(hooks);
  const watched: SignalWatch[] = [];
  for (const signal of reference ? signals : []) {
    const watch = watches.get(signal) ?? new SignalWatch(signal);
    const isWatched = listened(process => {
      watch.listen();
      if (watches.size > 0) return;
      kill = process.kill;
      process.on('removeListener', noteRemoval);
    });
    if (!isWatched || !reference) continue;
    watches.set(signal, watch);
    if (watch.recorders.size % SWEEP_EVERY === 0) watch.sweep();
    watch.recorders.add(reference);
    watched.push(watch);
  }
  return {
    turnBegins(): void {
      for (const watch of watched) watch.turnBegins();
    },
    forget(): void {
      for (const watch of watched.splice(0)) forget(watch, reference);
    },
  };
}

function forget(watch: SignalWatch, recorder: WeakRef<SignalHooks> | undefined): void {
  if (recorder) watch.recorders.delete(recorder);
  watch.sweep();
  if (watch.recorders.size > 0) return;
  watch.stop();
  for (const [signal, known] of watches) if (known === watch) watches.delete(signal);
  if (watches.size === 0) process.off('removeListener', noteRemoval);
}
