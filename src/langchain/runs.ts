import { outsideRequests } from '../internal/async-context.js';
import { safely } from '../internal/guards.js';
import type { ChainSteps } from './chain-steps.js';
import { ClosedRuns } from './closed-runs.js';
import type { GraphShape } from './graph-shape.js';
import type { LlmCall, Reach } from './llm-call.js';
import type { RootRun } from './root-run.js';
import type { StepStart } from './step-outputs.js';

/** A run that has started and not ended. */
export interface ChainRun {
  readonly id: string;
  readonly root: RootRun;
  readonly parent: ChainRun | undefined;
  /** Whether what happens inside is the app's own affair: in a tool, a retriever, under a tag that hides. */
  readonly internal: boolean;
  /** The LangGraph nodes it runs in, from the outermost. */
  readonly nodes: readonly string[];
  /** The step of the root graph that it runs in. */
  readonly superstep: string | undefined;
  /** What it started with, where what it gives may tell the answer. */
  stepStart: StepStart | undefined;
  /** How far what it puts out goes by itself. */
  readonly reaches: Reach;
  /** Of a sequence: whether the text of each step reaches the sequence's reader. */
  readonly steps: ChainSteps | undefined;
  /** Of a LangGraph graph. */
  readonly graph: GraphShape | undefined;
  /** Of a LangGraph node: its name, the graph it is a node of, and whether a model has run in it. */
  readonly node: { readonly name: string; readonly graph: GraphShape | undefined; hasModel: boolean } | undefined;
  /** The model's call, where the run is one. */
  call: LlmCall | undefined;
  /** How many times its start was reported: so often each of its tokens is reported, too. */
  readonly copies: { starts: number; events: number };
}

// An app with more under way than this at once, some 8,000 conversations, has a leak, or is many apps.
const MAX_BYTES = 48_000_000;
const MAX_RUNS = 100_000;
// What a root and a run inside it hold beside their texts, and what a character of those takes at most. The first two were measured
// (memory.long.test.ts).
const ROOT_BYTES = 6000;
const RUN_BYTES = 1000;
const CHARACTER_BYTES = 2;
// A tool or a model may think for long without a word. So many idle times later nobody waits for it any more.
const DORMANT_FACTOR = 12;
// A longer timeout would fire at once.
const MAX_TIMEOUT_MS = 2_147_483_647;

const unreadRoots =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<RootRun>(root => safely(() => root.whenUnread()));

/**
 * The runs that are under way, by their ids.
 *
 * ```
 *   (unknown) ─start─► open ──end──────────────────────────────► closed
 *                       │                                          ▲
 *                       ├─idle─► dormant (roots only) ──end, idle──┤
 *                       └─collected: nobody reads it any more ─────┘
 * ```
 * Closed ids are remembered for a while: what starts inside one is too late to be part of a turn and none by itself.
 * Everything is bounded, in number and in bytes: the root that was idle for longest goes first. One unref'd timer looks for
 * idle roots.
 */
export class Runs {
  readonly #runs = new Map<string, ChainRun>();
  readonly #roots = new Map<string, RootRun>();
  readonly #closed = new ClosedRuns();
  readonly #idleMs: number;
  #bytes = 0;
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

  /**
   * @param record what LangChain holds as long as it can report the end of the run: its metadata. A reader that stops reading is
   *   told to no callback, but then this is collected
   */
  add(run: ChainRun, record?: unknown): void {
    this.#runs.set(run.id, run);
    run.root.runIds.add(run.id);
    const { root } = run;
    if (run.id !== root.id) {
      this.#bytes += RUN_BYTES;
      return this.#bound();
    }
    this.#roots.set(run.id, root);
    if (typeof record === 'object' && record !== null) unreadRoots?.register(record, root, root);
    this.#bytes += ROOT_BYTES;
    root.whenGivenUp = isFinal => {
      root.dormant = true;
      if (isFinal) this.#closeRoot(root);
    };
    root.whenUnread = () => this.#abandon(root, true);
    this.#bound();
    this.#watch();
  }

  /** A root holds so many characters more. */
  grew(root: RootRun, characters: number): void {
    root.characters += characters;
    this.#bytes += characters * CHARACTER_BYTES;
    if (this.#bytes > MAX_BYTES) this.#bound();
  }

  /** A root may hold more than before, or less, beside the texts of its models. */
  measure(root: RootRun): void {
    const growth = root.takeGrowth();
    if (growth !== 0 && this.#roots.get(root.id) === root) this.grew(root, growth);
  }

  /** Ends a run. With a root, all that is inside it ends. */
  close(run: ChainRun): void {
    if (run.root.id === run.id) return this.#closeRoot(run.root);
    if (this.#runs.delete(run.id)) this.#bytes -= RUN_BYTES;
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
    unreadRoots?.unregister(root);
    for (const id of root.runIds) {
      if (this.#runs.delete(id) && id !== root.id) this.#bytes -= RUN_BYTES;
      this.#closed.add(id);
    }
    root.runIds.clear();
    if (this.#roots.delete(root.id)) this.#bytes -= ROOT_BYTES + root.characters * CHARACTER_BYTES;
    root.close();
  }

  #abandon(root: RootRun, forGood: boolean): void {
    const answered = root.dormant || root.abandon();
    root.dormant = true;
    if (answered || forGood) this.#closeRoot(root);
  }

  #bound(): void {
    while (this.#isCrowded && this.#roots.size > 0) {
      let idlest: RootRun | undefined;
      for (const root of this.#roots.values())
        if (idlest === undefined || root.lastEventAt < idlest.lastEventAt) idlest = root;
      if (idlest) this.#abandon(idlest, true);
    }
  }

  get #isCrowded(): boolean {
    return this.#runs.size > MAX_RUNS || this.#bytes > MAX_BYTES;
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
