import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import { isObject, property, text } from '../internal/guards.js';
import type { Recorder } from '../recorder/recorder.js';
import { humanContent } from './content.js';
import { Listener } from './listener.js';
import { readMessages } from './messages.js';
import type { SynapCallbackHandlerOptions } from './options.js';
import { humans } from './prompt.js';

// By themselves these are steps that an app takes by hand around a model, not conversations.
const STEP_TYPES = new Set(['prompt', 'parser']);

/** What comes with a chain's end when its input was deferred. */
interface EndDetails {
  inputs?: Record<string, unknown>;
}

/**
 * Records what users say to a LangChain or LangGraph app, and what it answers: one message each, whatever chain, agent
 * or graph is at work. Works with `@langchain/core` 0.3 and 1.x; one handler may serve all runs of an app at once.
 *
 * A run that no other run contains is a turn. Its input says what the user said, its output what the app answered;
 * routers, tools, drafts and summaries stay inside. Where an output leaves open which part of it is the answer, only the
 * user's message is recorded, and a notice names the options that tell.
 *
 * Who is talking where comes from the call's `metadata` (`conversation_id`, `user_id`, `customer_id`, `session_id`; a
 * `session_id` or `thread_id` names the conversation when nothing nearer does) or its `configurable`, then from
 * `recorder.withIdentity`, the options given here, and the recorder's. On LangGraph's own server, the user who is signed in
 * comes first. No method throws into the chain, and none waits.
 *
 * A model's own `streamEvents(…, { version: 'v3' })` tells callbacks nothing, so it can't be recorded here.
 *
 * @example
 * ```ts
 * const handler = new SynapCallbackHandler(recorder);
 * await agent.invoke(
 *   { messages: [{ role: 'user', content: 'What is a monad?' }] },
 *   { callbacks: [handler], metadata: { user_id: 'ada', conversation_id: 'chat-42' } },
 * );
 * ```
 */
export class SynapCallbackHandler extends BaseCallbackHandler {
  name = 'synap_callback_handler';
  // In LangChain's background queue, clocks are late and one user's events run in another's async context.
  override awaitHandlers = true;
  override raiseError = false;
  readonly #listener: Listener;

  /** @throws {@link InvalidInputError} an option is wrong; `field` names it */
  constructor(recorder: Recorder, options: SynapCallbackHandlerOptions = {}) {
    super();
    this.#listener = new Listener(recorder, options);
  }

  /** How many runs, of any kind, are under way. */
  get openRuns(): number {
    return this.#listener.openRuns;
  }

  /** Ends what is under way as `abandoned`, with its text so far, and records nothing from then on. */
  close(): void {
    this.#listener.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal Runs are told apart by their ids, so one handler does for all of them. */
  override copy(): this {
    return this;
  }

  /**
   * LangChain passes `(chain, inputs, runId, parentRunId, tags, metadata, runType, runName, extra)`; the types of core
   * 1.1.20 and later put `runType` fourth and `parentRunId` eighth. Whichever is the id of a run is the parent.
   *
   * @internal
   */
  override handleChainStart(
    serialized: unknown,
    inputs: unknown,
    runId: string,
    parentOrType?: string,
    tags?: string[],
    metadata?: Record<string, unknown>,
    typeOrName?: string,
    nameOrParent?: string,
    extra?: Record<string, unknown>,
  ): void {
    const moved = this.#listener.isKnown(nameOrParent) && !this.#listener.isKnown(parentOrType);
    const parentRunId = moved ? nameOrParent : parentOrType;
    const isStep = [parentOrType, typeOrName].some(type => type !== undefined && STEP_TYPES.has(type));
    if (isStep && !this.#listener.isKnown(parentRunId)) return this.#listener.ignore(runId);
    const className = classOf(serialized);
    const name = (moved ? typeOrName : nameOrParent) ?? className;
    const isParser = parentOrType === 'parser' || typeOrName === 'parser';
    if (isStateUpdate(serialized) && !this.#listener.isKnown(parentRunId)) return this.#listener.ignore(runId);
    const start = {
      kind: 'chain',
      runId,
      parentRunId,
      tags,
      metadata,
      name,
      serialized,
      isGraph: isOfLangGraph(serialized, 'pregel'),
      className,
      isParser,
    } as const;
    this.#listener.chainStarted(start, inputs, isDeferred(inputs, extra), this.awaitHandlers);
  }

  /** @internal */
  override handleChainEnd(
    outputs: unknown,
    runId: string,
    _parentRunId?: string,
    _tags?: string[],
    kwargs?: EndDetails,
  ): void {
    this.#listener.chainEnded(runId, outputs, kwargs?.inputs);
  }

  /** @internal */
  override handleChainError(
    error: unknown,
    runId: string,
    _parentRunId?: string,
    _tags?: string[],
    kwargs?: EndDetails,
  ): void {
    this.#listener.failed(runId, error, kwargs?.inputs);
  }

  /** @internal */
  override handleChatModelStart(
    llm: unknown,
    messages: unknown,
    runId: string,
    parentRunId?: string,
    extraParams?: Record<string, unknown>,
    tags?: string[],
    metadata?: Record<string, unknown>,
    name?: string,
  ): void {
    const prompt = () => humans((Array.isArray(messages) ? readMessages(messages[0]) : undefined) ?? []);
    const start = { kind: 'llm', runId, parentRunId, tags, metadata, name } as const;
    this.#listener.callStarted({ ...start, llm, extraParams, asRoot: prompt, inChain: prompt }, this.awaitHandlers);
  }

  /** @internal */
  override handleLLMStart(
    llm: unknown,
    prompts: string[],
    runId: string,
    parentRunId?: string,
    extraParams?: Record<string, unknown>,
    tags?: string[],
    metadata?: Record<string, unknown>,
    name?: string,
  ): void {
    const asRoot = () => prompts.slice(0, 1).map(humanContent);
    const start = { kind: 'llm', runId, parentRunId, tags, metadata, name } as const;
    // Inside a chain, a model's whole prompt is the app's template, and not what the user said.
    this.#listener.callStarted({ ...start, llm, extraParams, asRoot, inChain: () => [] }, this.awaitHandlers);
  }

  /** @internal */
  override handleLLMNewToken(
    token: string,
    index: unknown,
    runId: string,
    _parentRunId?: string,
    _tags?: string[],
    fields?: unknown,
  ): void {
    this.#listener.token(runId, token, index, fields);
  }

  /**
   * Where a graph's v3 event stream is read, models tell of this and of no tokens. Since core 1.2.
   *
   * @internal
   */
  override handleChatModelStreamEvent(event: unknown, runId: string): void {
    this.#listener.event(runId, event);
  }

  /** @internal */
  override handleLLMEnd(
    output: unknown,
    runId: string,
    _parentRunId?: string,
    _tags?: string[],
    extraParams?: Record<string, unknown>,
  ): void {
    this.#listener.callEnded(runId, output, extraParams?.cached === true);
  }

  /** @internal */
  override handleLLMError(error: unknown, runId: string): void {
    this.#listener.failed(runId, error);
  }

  /** @internal */
  override handleToolStart(
    _tool: unknown,
    _input: string,
    runId: string,
    parentRunId?: string,
    tags?: string[],
    metadata?: Record<string, unknown>,
    name?: string,
  ): void {
    this.#listener.stepStarted({ kind: 'tool', runId, parentRunId, tags, metadata, name });
  }

  /** @internal */
  override handleToolEnd(_output: unknown, runId: string): void {
    this.#listener.stepEnded(runId);
  }

  /** @internal */
  override handleToolError(error: unknown, runId: string): void {
    this.#listener.failed(runId, error);
  }

  /** @internal */
  override handleRetrieverStart(
    _retriever: unknown,
    _query: string,
    runId: string,
    parentRunId?: string,
    tags?: string[],
    metadata?: Record<string, unknown>,
    name?: string,
  ): void {
    this.#listener.stepStarted({ kind: 'retriever', runId, parentRunId, tags, metadata, name });
  }

  /** @internal */
  override handleRetrieverEnd(_documents: unknown, runId: string): void {
    this.#listener.stepEnded(runId);
  }

  /** @internal */
  override handleRetrieverError(error: unknown, runId: string): void {
    this.#listener.failed(runId, error);
  }
}

/** Whether a chain, as LangChain serializes it, is of a kind of LangGraph's: `pregel` is a graph, under whatever name. */
function isOfLangGraph(chain: unknown, kind: 'pregel' | 'ChannelWrite'): boolean {
  return isObject(chain) && Array.isArray(chain.id) && chain.id[0] === 'langgraph' && chain.id[1] === kind;
}

/**
 * Whether a chain is what `graph.updateState()` writes by, under whatever name. What it writes is said when the graph goes on
 * from it.
 */
function isStateUpdate(chain: unknown): boolean {
  const first = isObject(chain) && isObject(chain.kwargs) ? chain.kwargs.first : undefined;
  // What a serialized chain is made of is not serialized yet.
  return isOfLangGraph(chain, 'ChannelWrite') || isOfLangGraph({ id: property(first, 'lc_id') }, 'ChannelWrite');
}

// Streamed lambdas and maps get their input piece by piece; before core 1.0 nothing but the empty input says so.
function isDeferred(inputs: unknown, extra: unknown): boolean {
  if (isObject(extra) && extra.lc_defers_inputs === true) return true;
  return isObject(inputs) && inputs.input === '' && Object.keys(inputs).length === 1;
}

/** The name of a chain's class: the last part of the id that LangChain serialises it with. */
function classOf(chain: unknown): string | undefined {
  const id = isObject(chain) ? chain.id : undefined;
  return Array.isArray(id) ? text(id.at(-1)) : undefined;
}
