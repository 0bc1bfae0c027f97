import { outsideRequests } from '../internal/async-context.js';
import { BoundedSet } from '../internal/bounded-set.js';
import type { LlmCall } from './llm-call.js';
import type { RootRun } from './root-run.js';
import type { StepStart } from './step-outputs.js';

/** A run that has started and not ended. */
export interface ChainRun {
  readonly id: string;
  readonly root: RootRun;
  /** Whether what happens inside is the app's own affair: in a tool, a retriever, under a tag that hides. */
  readonly internal: boolean;
  /** The LangGraph nodes it runs in, from the outermost. */
  readonly nodes: readonly string[];
  /** The step of the root graph that it runs in. */
  readonly superstep: string | undefined;
  /** What a chain inside another started with, where what it gives may tell the answer. */
  step: StepStart | undefined;
  /** The model's call, where the run is one. */
  call: LlmCall | undefined;
  /** How many times its start was reported: so often each of its tokens is reported, too. */
  readonly copies: { starts: number; events: number };
}

// An app with more conversations under way than this at once has a leak, or is many apps.
const MAX_ROOTS = 10_000;
const MAX_RUNS = 100_000;
const MAX_CLOSED = 20_000;
// A tool or a model may think for long without a word. So many idle times later nobody waits for it any more.
const DORMANT_FACTOR = 12;
// A longer timeout would fire at once.
const MAX_TIMEOUT_MS = 2_147_483_647;

/**
 * The runs that are under way, by their ids.
 *
 * ```
 *   (unknown) ─start─► open ──end──────────────────────────────► closed
 *                       │                                          ▲
 *                       └─idle─► dormant (roots only) ──end, idle──┘
 * ```
 * Closed ids are remembered for a while: what starts inside one is too late to be part of a turn and none by itself.
 * Everything is bounded: the root that was idle for longest goes first. One unref'd timer looks for idle roots.
 */
export class Runs {
  readonly #runs = new Map<string, ChainRun>();
  readonly #roots = new Map<string, RootRun>();
  readonly #closed = new BoundedSet(MAX_CLOSED);
  readonly #idleMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(idleMs: number) {
    this.#idleMs = idleMs;
  }

  get size(): number {
    return this.#runs.size;
  }

  get(id: string): ChainRun | undefined {
    return this.#runs.get(id);
  }

  isKnown(id: string | undefined): id is string {
    return id !== undefined && (this.#runs.has(id) || this.#closed.has(id));
  }

  isClosed(id: string): boolean {
    return this.#closed.has(id);
  }

  add(run: ChainRun): void {
    this.#runs.set(run.id, run);
    run.root.runIds.add(run.id);
    if (run.id !== run.root.id) return this.#bound();
    this.#roots.set(run.id, run.root);
    this.#bound();
    this.#watch();
  }

  /** Ends a run. With a root, all that is inside it ends. */
  close(run: ChainRun): void {
    if (run.root.id === run.id) return this.#closeRoot(run.root);
    this.#runs.delete(run.id);
    run.root.runIds.delete(run.id);
    this.#closed.add(run.id);
  }

  /** Nothing that starts inside this run is of interest. */
  ignore(id: string): void {
    this.#closed.add(id);
  }

  abandonAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const root of this.#roots.values()) this.#abandon(root, true);
  }

  #closeRoot(root: RootRun): void {
    for (const id of root.runIds) {
      this.#runs.delete(id);
      this.#closed.add(id);
    }
    root.runIds.clear();
    this.#roots.delete(root.id);
    root.whenClosed();
  }

  #abandon(root: RootRun, forGood: boolean): void {
    const answered = root.dormant || root.abandon();
    root.dormant = true;
    if (answered || forGood) this.#closeRoot(root);
  }

  #bound(): void {
    while (this.#roots.size > MAX_ROOTS || (this.#runs.size > MAX_RUNS && this.#roots.size > 0)) {
      let idlest: RootRun | undefined;
      for (const root of this.#roots.values())
        if (idlest === undefined || root.lastEventAt < idlest.lastEventAt) idlest = root;
      if (idlest) this.#abandon(idlest, true);
    }
  }

  // The timer is not stopped when the last root ends: a busy app would set and stop one with every run.
  #watch(waitMs = this.#idleMs): void {
    this.#timer ??= outsideRequests(() => setTimeout(() => this.#sweep(), waitMs));
    this.#timer.unref?.();
  }

  #sweep(): void {
    this.#timer = undefined;
    const now = performance.now();
    let next = Infinity;
    for (const root of this.#roots.values()) {
      const idle = now - root.lastEventAt;
      if (idle >= this.#idleMs * DORMANT_FACTOR) this.#abandon(root, true);
      else if (idle >= this.#idleMs && !root.dormant) this.#abandon(root, false);
      const limit = root.dormant ? this.#idleMs * DORMANT_FACTOR : this.#idleMs;
      if (this.#roots.has(root.id)) next = Math.min(next, root.lastEventAt + limit - now);
    }
    if (next !== Infinity) this.#watch(Math.min(Math.max(next, 1), MAX_TIMEOUT_MS));
  }
}
