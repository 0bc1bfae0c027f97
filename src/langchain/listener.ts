import { BoundedSet } from '../internal/bounded-set.js';
import { isObject, safely, text } from '../internal/guards.js';
import { safeLogger } from '../internal/logger.js';
import { WarnOnce } from '../internal/warn-once.js';
import type { Recorder } from '../recorder/recorder.js';
import { closeScope, enterScope, type ScopedRun, scopeFor } from '../recorder/scope.js';
import { AnsweredRuns } from './answered-runs.js';
import { chainSteps, placeInSequence, reachesReader } from './chain-steps.js';
import { patchCore } from './core-copies.js';
import { FirstHalves } from './first-half.js';
import { watchRunConfigs } from './global.js';
import { graphShape } from './graph-shape.js';
import { graphStep } from './graph-state.js';
import { HistoryUpdates } from './history/history-updates.js';
import { callIdentity } from './identity.js';
import { isInsideAnother, OuterTasks } from './inside.js';
import { liveObject, rememberLiveObjects } from './live-objects.js';
import { LlmCall, type Reach } from './llm-call.js';
import { listenToStartingStream, watchModelStreams } from './model-streams.js';
import { readHandlerOptions, type SynapCallbackHandlerOptions } from './options.js';
import type { PromptMessage } from './prompt.js';
import type { RootContext } from './root-context.js';
import { RootRun } from './root-run.js';
import { type ChainRun, Runs } from './runs.js';

const MAX_ANSWERED = 1000;

/** What every start of a run says. */
export interface Start {
  readonly kind: 'chain' | 'llm' | 'tool' | 'retriever';
  readonly runId: string;
  readonly parentRunId: string | undefined;
  readonly tags: readonly string[] | undefined;
  readonly metadata: unknown;
  readonly name: string | undefined;
  /** LangChain's record of what starts. */
  readonly serialized?: unknown;
  /** Whether it is a graph of LangGraph's. */
  readonly isGraph?: boolean | undefined;
}

/** A chain, as it starts. */
export interface ChainStart extends Start {
  readonly className: string | undefined;
  /** Whether it turns what a model said into something else. */
  readonly isParser: boolean;
}

/** A model's call, as it starts. */
export interface CallStart extends Start {
  readonly llm: unknown;
  readonly extraParams: unknown;
  /** What a human says in its prompt, for a model that is called by itself. */
  asRoot(): readonly PromptMessage[];
  /** And for one that is called by a chain. */
  inChain(): readonly PromptMessage[];
}

/** Follows runs from their starts to their ends, and passes each event to the turn it belongs to. Never throws. */
export class Listener {
  readonly #recorder: Recorder;
  readonly #context: RootContext;
  readonly #runs: Runs;
  readonly #tasks: OuterTasks;
  #closed = false;

  /** @throws {@link InvalidInputError} an option is wrong; `field` names it */
  constructor(recorder: Recorder, options: SynapCallbackHandlerOptions) {
    const settings = readHandlerOptions(options);
    if (recorder.enabled) patchCore([watchRunConfigs, rememberLiveObjects, watchModelStreams]);
    this.#recorder = recorder;
    this.#tasks = OuterTasks.of(recorder);
    this.#runs = new Runs(settings.idleMs);
    this.#context = {
      settings,
      warnOnce: WarnOnce.of(recorder, safeLogger(options.logger)),
      answered: new BoundedSet(MAX_ANSWERED),
      answeredRuns: AnsweredRuns.of(recorder),
      firstHalves: FirstHalves.of(recorder),
    };
  }

  get openRuns(): number {
    return this.#runs.size;
  }

  isKnown(runId: string | undefined): boolean {
    return this.#runs.isKnown(runId);
  }

  /** `awaited`: LangChain waits for the handler, so that what is ambient is the caller's own. */
  chainStarted(start: ChainStart, input: unknown, deferred: boolean, awaited: boolean): void {
    this.#safely(() => {
      const run = this.#enter(start, awaited);
      if (run?.root.id === start.runId) {
        run.root.begin(input, deferred);
        return this.#runs.measure(run.root);
      }
      if (!run) return;
      run.root.chainStarted(input, start.metadata, run.internal);
      if (!run.internal) this.#followStep(run, start, input);
      this.#runs.measure(run.root);
    });
  }

  callStarted(start: CallStart, awaited: boolean): void {
    this.#safely(() => {
      const run = this.#enter(start, awaited);
      if (!run) return;
      const { llm, metadata, extraParams } = start;
      const visible = !run.internal && this.#isNamed(run);
      run.call = new LlmCall({ llm, metadata, extraParams, visible, reaches: run.reaches });
      run.call.superstep = run.superstep;
      listenToStartingStream(run.call);
      run.root.signalled(run.call);
      const isRoot = run.root.id === run.id;
      if (isRoot) run.root.beginCall(start.asRoot());
      if (run.internal) return run.root.hiddenCallStarted(run.call);
      run.root.callStarted(run.call, isRoot ? () => [] : start.inChain);
      this.#runs.measure(run.root);
      this.#followStep(run, start);
    });
  }

  /** A tool or a retriever starts: what happens inside is its own affair. */
  stepStarted(start: Start): void {
    this.#safely(() => void this.#enter(start, false));
  }

  /** A token of a model's. There may be tens of thousands of them, so this makes no closures. */
  token(runId: string, token: unknown, index: unknown, fields: unknown): void {
    try {
      const run = this.#receiving(runId);
      if (run?.call) this.#grow(run, run.call, run.call.token(token, index, fields));
    } catch (error) {
      this.#unreadable(error);
    }
  }

  /** An event of a model's own stream. */
  event(runId: string, event: unknown): void {
    try {
      const run = this.#receiving(runId);
      if (run?.call) this.#grow(run, run.call, run.call.event(event));
    } catch (error) {
      this.#unreadable(error);
    }
  }

  chainEnded(runId: string, output: unknown, input: unknown): void {
    this.#leave(runId, run => {
      if (run.root.id === run.id) return run.root.complete(output, input);
      if (run.stepStart) run.root.stepGave(run.stepStart, output, input);
      if (run.node && !run.internal) this.#nodeEnded(run, run.node, output);
    });
  }

  #nodeEnded(run: ChainRun, node: NonNullable<ChainRun['node']>, output: unknown): void {
    if (run.parent?.id === run.root.id) run.root.nodeLedOn(node.graph?.leadsOn(node.name) === true, run.superstep);
    if (!this.#isNamed(run)) return;
    const hasAnswered = run.root.nodeEnded(output);
    if (node.hasModel && hasAnswered !== undefined) node.graph?.learn(node.name, hasAnswered);
  }

  callEnded(runId: string, output: unknown, cached: boolean): void {
    this.#leave(runId, run => {
      const { id, root, call, stepStart } = run;
      if (!call) return;
      call.end(output, { cached });
      this.#grow(run, call, false);
      root.callEnded(call, stepStart);
      if (root.id === id) root.completeCall(call);
    });
  }

  stepEnded(runId: string): void {
    this.#leave(runId, () => {});
  }

  failed(runId: string, error: unknown, input?: unknown): void {
    this.#leave(runId, ({ id, root, call, internal, stepStart }) => {
      call?.fail();
      if (root.id === id) root.fail(error, input);
      else root.stepFailed(error, { internal, step: stepStart, signal: call?.signal });
    });
  }

  /** Nothing that starts inside this run is part of a conversation. */
  ignore(runId: string): void {
    this.#runs.ignore(runId);
  }

  close(): void {
    this.#closed = true;
    this.#safely(() => this.#runs.abandonAll());
  }

  /** The run that a piece belongs to; undefined for one that was passed before. */
  #receiving(runId: string): ChainRun | undefined {
    const run = this.#runs.get(runId);
    if (!run?.call || run.copies.events++ % run.copies.starts !== 0) return undefined;
    run.root.touch();
    return run;
  }

  /** Lets the root know of a step of its own, or inside one: what it gives may tell the answer. */
  #followStep(run: ChainRun, start: Start & Partial<ChainStart>, input?: unknown): void {
    const { kind, className, name = className, tags, parentRunId, isParser = false } = start;
    const isOwn = parentRunId === run.root.id;
    run.stepStart = {
      isModel: kind === 'llm',
      place: isOwn ? placeInSequence(tags) : undefined,
      className,
      name: name ?? (kind === 'llm' ? 'model' : undefined),
      isNamed: this.#isNamed(run),
      isParser,
      // A state may be large, and only a parser's input is looked at.
      input: isParser ? input : undefined,
    };
    run.root.followStep(run.stepStart, isOwn);
  }

  /** Whether what is said in it may be for the user, as far as the app has named the nodes that speak. */
  #isNamed({ nodes }: ChainRun): boolean {
    const { assistantNodes } = this.#context.settings;
    return !assistantNodes || nodes.length === 0 || nodes.some(node => assistantNodes.has(node));
  }

  /** Enters a run. Undefined where it is no part of a turn, or was entered already. */
  #enter(start: Start, awaited: boolean): ChainRun | undefined {
    const { kind, runId, parentRunId, tags, metadata, name, serialized } = start;
    const entered = this.#runs.get(runId);
    if (entered) {
      // core 0.3 calls a handler twice for everything when it is given to a constructor and to a call.
      entered.copies.starts += 1;
      return undefined;
    }
    const parent = parentRunId === undefined ? undefined : this.#runs.get(parentRunId);
    const hidden = tags?.some(tag => this.#context.settings.ignoreTags.has(tag)) ?? false;
    const late = parentRunId !== undefined && this.#runs.isClosed(parentRunId);
    const isStep = kind === 'tool' || kind === 'retriever';
    // LangChain awaits the handler in the async context of the call that starts the root, and takes only its own store out
    // of that. In the background queue, what is ambient may be another user's.
    if (!parent && (late || hidden || isStep || this.#closed || isInsideAnother(this.#recorder, metadata, awaited))) {
      this.#runs.ignore(runId);
      return undefined;
    }
    const node = isObject(metadata) ? text(metadata.langgraph_node) : undefined;
    const nodes = parent?.nodes ?? [];
    // LangGraph marks the run of each node so; runs inside of it share only its metadata.
    const graphStepTag = tags?.find(tag => tag.startsWith('graph:step:'));
    const isNode = kind === 'chain' && name === node && graphStepTag !== undefined;
    const run: ChainRun = {
      id: runId,
      root: parent?.root ?? this.#root(start, awaited),
      parent,
      internal: hidden || isStep || (parent?.internal ?? false),
      nodes: node === undefined || nodes.includes(node) ? nodes : [...nodes, node],
      superstep: parent?.superstep ?? graphStepTag,
      stepStart: undefined,
      reaches: this.#reachOf(parent, tags, isNode ? node : undefined),
      steps: chainSteps(serialized),
      graph: graphShape(liveObject(serialized)),
      node: isNode && node !== undefined ? { name: node, graph: parent?.graph, hasModel: false } : undefined,
      call: undefined,
      copies: { starts: 1, events: 0 },
    };
    if (kind === 'llm')
      for (let around = parent; around; around = around.parent) if (around.node) around.node.hasModel = true;
    if (parent) run.root.stepStarted();
    run.root.touch();
    if (parent) this.#tasks.note(metadata, run.root.identity);
    this.#runs.add(run, parent ? undefined : metadata);
    return run;
  }

  /** How far the text of a run goes, as far as what is around it tells. */
  #reachOf(parent: ChainRun | undefined, tags: Start['tags'], node: string | undefined): Reach {
    if (parent === undefined || parent.reaches !== 'reader') return parent?.reaches ?? 'reader';
    const isNamed = node !== undefined && this.#context.settings.assistantNodes?.has(node);
    if (node !== undefined && !isNamed && parent.graph?.mayAnswer(node) === false) return 'node';
    return reachesReader(parent.steps, tags) ? 'reader' : 'step';
  }

  /** A model has said a piece; `said`: whether there was anything in it. */
  #grow(run: ChainRun, call: LlmCall, said: boolean): void {
    if (said) call.firstTokenAt ??= performance.now();
    const { length } = call;
    if (length > call.counted) this.#runs.grew(run.root, length - call.counted);
    call.counted = length;
  }

  #root({ runId, name, metadata, isGraph = graphStep(metadata) !== undefined }: Start, awaited: boolean): RootRun {
    let root: RootRun | undefined;
    const identity = callIdentity(metadata);
    const fallback = this.#context.settings.identity;
    const turn = this.#recorder.turn(identity, {
      framework: 'langchain',
      id: this.#context.answeredRuns.turnId(runId),
      idMayRepeat: true,
      // The input of some roots comes only at their end.
      startedAt: performance.now(),
      soFar: () => root?.soFar(),
      endsAs: () => root?.endsAs(),
      ambient: awaited,
      fallback,
    });
    const history = HistoryUpdates.of(this.#recorder).open(turn, text => root?.said(text) ?? false);
    root = new RootRun(runId, name ?? 'a chain', turn, this.#context, history, isGraph);
    root.identity = safely(() => this.#recorder.identify(identity, { fallback, ambient: awaited }));
    if (awaited) this.#openScope(root);
    return root;
  }

  /** Lets whatever runs inside the root know that it does; see {@link enterScope}. */
  #openScope(root: RootRun): void {
    // What a context holds for as long as anything was started in it is this alone, and not the root.
    const inside: ScopedRun = { ended: false, identity: root.identity };
    const scope = scopeFor(this.#recorder, inside);
    root.whenClosed = () => closeScope(scope);
    enterScope(scope);
  }

  #leave(runId: string, finish: (run: ChainRun) => void): void {
    this.#safely(() => {
      const run = this.#runs.get(runId);
      if (!run) return;
      run.root.touch();
      try {
        finish(run);
      } catch (error) {
        if (run.root.id === run.id) run.root.abandon();
        throw error;
      } finally {
        this.#runs.close(run);
      }
      if (run.root.id !== run.id) this.#runs.measure(run.root);
    });
  }

  // LangChain logs what a handler throws, and that may quote a message: its name must do.
  #safely(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#unreadable(error);
    }
  }

  #unreadable(error: unknown): void {
    const name = error instanceof Error ? error.name : 'something';
    this.#context.warnOnce.warn(`threw:${name}`, `a callback of LangChain's could not be read: ${name}`);
  }
}
