import { isObject, text } from '../internal/guards.js';
import type { Attachment, TurnDetails, Usage } from '../recorder/metadata.js';
import type { CallSignal } from './abort-watch.js';
import {
  type CallStartFields,
  finishReasonOf,
  isFiltered,
  modelOf,
  providerOf,
  providerOfResult,
  responseModelOf,
  usageOf,
} from './call-details.js';
import { answerText, isThinkingAloud, messageContent, pieceText, saysAnything, withoutThoughts } from './content.js';
import { callsTools, readMessage, toolArguments, toolNames } from './messages.js';
import { sizeOf } from './size-of.js';

/**
 * How far a model's text goes by itself: to the `reader`; no farther than a `step` of the app's behind it in a chain; or no
 * farther than its `node` in a graph, as a router's.
 */
export type Reach = 'reader' | 'step' | 'node';

/** What LangChain says of a model's call when it starts. */
export interface LlmStart extends CallStartFields {
  /** Whether its text may reach the user: not where it works for a tool, a hidden step, or another node. */
  readonly visible: boolean;
  readonly reaches: Reach;
}

// A text of small pieces takes up to ten times the memory of one that is whole. It is made whole each time that it has grown by
// this many characters and by an eighth, so that a long one is copied at most nine times in all.
const PIECED_CHARACTERS = 256;
const PIECED_SHARE = 8;

// Orders starts and ends of calls; no clock is fine enough for that.
let moment = 0;

/**
 * One call of a model.
 *
 * ```
 *   running ──┬─ end()  ─► done
 *             └─ fail() ─► failed
 * ```
 *
 * While it runs, `text` is what has come so far; afterwards it is the whole text, or what came before the failure.
 */
export class LlmCall {
  readonly visible: boolean;
  readonly reaches: Reach;
  readonly model: string | undefined;
  /** Undefined where it isn't known whether it was called with a signal. */
  readonly signal: CallSignal | undefined;
  /** When it first said anything, on the clock of `performance.now()`. */
  firstTokenAt: number | undefined;
  /** How many characters of its text have been counted. */
  counted = 0;
  state: 'running' | 'done' | 'failed' = 'running';
  streamed = false;
  messageId: string | undefined;
  /** Whether it called tools, so that its text is no answer. */
  forTools = false;
  /** Whether its provider kept it from saying anything: then its text says so. */
  isRefused = false;
  toolCalls: readonly string[] = [];
  /** What it gave those tools: of a structured answer, the answer. */
  toolArguments: readonly unknown[] = [];
  /** The LangGraph nodes that it was made in, from the outermost, as one string. */
  readonly place: string | undefined;
  /** The outermost task that it was made in: a node, each time it runs. */
  readonly task: string | undefined;
  /** In which step of the root graph that task ran; what runs in one step runs side by side. */
  superstep: string | undefined;
  usage: Usage = {};
  #reported: unknown;
  #unreported: unknown;
  /** Whether its pieces are reported before a reader gets them; known with the first that says something. */
  #reportsFirst: boolean | undefined;
  /** Files of the answer; where they stand in it, the text has a placeholder. */
  attachments: readonly Attachment[] = [];
  readonly #startedAt = ++moment;
  #endedAt = Infinity;
  #text = '';
  #wholeLength = 0;
  #argumentsSize = 0;
  /** The first chunk: with some packages it names the model that answers, which counts where the end does not. */
  #opening: unknown;
  #provider: string | undefined;
  #responseModel: string | undefined;
  #finishReason: string | undefined;

  constructor(start: LlmStart) {
    const { metadata, extraParams, visible, reaches } = start;
    const metadataFields = isObject(metadata) ? metadata : {};
    this.visible = visible;
    this.reaches = reaches;
    this.model = modelOf(start);
    this.#provider = providerOf(start);
    this.signal = signalOf(isObject(extraParams) ? extraParams.options : undefined, metadataFields);
    const namespace = text(metadataFields.langgraph_checkpoint_ns);
    // A task's own id stands behind the name of its node: `research:7c2f…|model:01ab…`.
    this.place = namespace?.replaceAll(/:[^|]*/g, '') ?? text(metadataFields.langgraph_node);
    this.task = namespace?.split('|')[0];
  }

  /** What it says: an answer, if {@link answers}. */
  get text(): string {
    return this.#said(this.#text);
  }

  /**
   * A token of handleLLMNewToken.
   *
   * @returns whether it says anything: providers open with empty ones
   */
  token(token: unknown, index: unknown, fields: unknown): boolean {
    // A call may give several completions at once; the first is the one that is returned.
    // Some packages report a piece without its message: what is reported is the last one that was given out.
    this.#unreported = undefined;
    if (this.state !== 'running' || (isObject(index) && index.completion !== undefined && index.completion !== 0))
      return false;
    const chunk = isObject(fields) && isObject(fields.chunk) ? fields.chunk : undefined;
    const message = chunk && isObject(chunk.message) ? chunk.message : undefined;
    if (message !== undefined) this.#reported = message;
    // Some models give a token only, some a chunk of a completion, which has no message.
    const piece = message ? pieceText(message) : (text(token) ?? text(chunk?.text) ?? '');
    this.#opening ??= chunk;
    this.#append(piece);
    if (piece !== '') return true;
    if (!message) return false;
    const extra = isObject(message.additional_kwargs) ? message.additional_kwargs : {};
    return (
      saysAnything(message.content) ||
      toolNames({ fields: message, content: undefined }).length > 0 ||
      text(extra.reasoning_content) !== undefined ||
      (Array.isArray(message.tool_call_chunks) && message.tool_call_chunks.length > 0)
    );
  }

  /**
   * An event of handleChatModelStreamEvent.
   *
   * @returns whether it says anything
   */
  event(event: unknown): boolean {
    if (this.state !== 'running' || !isObject(event)) return false;
    // What the provider says beside the answer, as far as LangChain passes it on.
    if (event.event === 'provider') this.#opening ??= { generationInfo: event.payload };
    if (event.event === 'content-block-start') {
      this.#append(answerText([event.content]));
      return saysAnything([event.content]);
    }
    const { delta } = event;
    if (event.event !== 'content-block-delta' || !isObject(delta)) return false;
    if (delta.type === 'text-delta') this.#append(text(delta.text) ?? '');
    return saysAnything([delta.type === 'block-delta' ? delta.fields : delta]);
  }

  /** Its stream has given a message or a text to whoever reads it. Most providers report it only after that. */
  given(piece: unknown): void {
    if (this.state !== 'running' || piece === this.#reported || this.#reportsFirst === true) return;
    if (this.#reportsFirst === undefined && givenText(piece) !== '') this.#reportsFirst = this.#text !== '';
    if (this.#reportsFirst !== true) this.#unreported = piece;
  }

  /** What a reader has got so far, reported or not. */
  get textGiven(): string {
    return this.#said(this.#text + givenText(this.#unreported));
  }

  /** How many characters it holds: what it has said so far, and what it gave to tools. */
  get length(): number {
    return this.#text.length + this.#argumentsSize;
  }

  #said(all: string): string {
    return isThinkingAloud(this.#provider) ? withoutThoughts(all) : all;
  }

  /** The result of handleLLMEnd. */
  end(output: unknown, { cached = false } = {}): void {
    this.state = 'done';
    this.#unreported = undefined;
    this.#reported = undefined;
    this.#endedAt = ++moment;
    this.#responseModel = this.#openingModel();
    this.#opening = undefined;
    const generation = firstGeneration(output);
    if (!generation) return;
    const message = readMessage(generation.message);
    const said = message ? messageContent(message) : { content: text(generation.text) ?? '', attachments: [] };
    this.#text = said.content;
    this.attachments = said.attachments;
    this.messageId = message?.id;
    this.forTools = message !== undefined && callsTools(message);
    this.toolCalls = message ? toolNames(message) : [];
    this.toolArguments = message ? toolArguments(message) : [];
    this.#argumentsSize = this.toolArguments.length > 0 ? sizeOf(this.toolArguments) : 0;
    const result = { generation, llmOutput: isObject(output) ? output.llmOutput : undefined };
    this.#provider ??= providerOfResult(result);
    this.#responseModel = responseModelOf({ ...result, model: this.model }) ?? this.#responseModel;
    this.#finishReason = finishReasonOf(result);
    this.isRefused = this.#text.trim() === '' && isFiltered(this.#finishReason);
    if (this.isRefused) this.#text = `[no answer: ${this.#finishReason}]`;
    // What a cache gives out was counted when it was made.
    if (!cached) this.usage = usageOf(result);
  }

  fail(): void {
    this.state = 'failed';
    this.#reported = undefined;
    this.#endedAt = ++moment;
    this.#responseModel = this.#openingModel();
    this.#opening = undefined;
  }

  /** Whether its text can be an answer. */
  get answers(): boolean {
    return this.visible && this.state === 'done' && !this.forTools && this.text.trim() !== '';
  }

  /** Whether the two ran side by side for some time. */
  overlaps(other: LlmCall): boolean {
    return this.#startedAt < other.#endedAt && other.#startedAt < this.#endedAt;
  }

  /** Whether the two answer side by side: at the same time, or as tasks of one step of a graph. */
  isBeside(other: LlmCall): boolean {
    const isSameStep = this.superstep !== undefined && this.superstep === other.superstep;
    return this.overlaps(other) || (isSameStep && this.task !== other.task);
  }

  startedAfter(other: LlmCall): boolean {
    return this.#startedAt > other.#endedAt;
  }

  /** Which model it was, and how it ended. */
  get details(): TurnDetails {
    return {
      model: this.model,
      responseModel: this.#responseModel ?? this.#openingModel(),
      provider: this.#provider,
      finishReason: this.#finishReason,
      ...(this.attachments.length > 0 && { attachments: this.attachments }),
    };
  }

  #append(piece: string): void {
    if (piece === '') return;
    this.streamed = true;
    this.#text += piece;
    const grown = this.#text.length - this.#wholeLength;
    if (grown < PIECED_CHARACTERS || grown < this.#wholeLength / PIECED_SHARE) return;
    // Reading one character of it lets V8 join the pieces.
    this.#text.charCodeAt(0);
    this.#wholeLength = this.#text.length;
  }

  #openingModel(): string | undefined {
    return responseModelOf({ generation: this.#opening, model: this.model });
  }
}

function givenText(piece: unknown): string {
  return isObject(piece) ? pieceText(piece) : (text(piece) ?? '');
}

function signalOf(options: unknown, metadata: Record<string, unknown>): CallSignal | undefined {
  if (!isObject(options)) return undefined;
  const derived = metadata.langgraph_node !== undefined || metadata.langgraph_checkpoint_ns !== undefined;
  return { signal: isObject(options.signal) ? (options.signal as unknown as AbortSignal) : undefined, derived };
}

// A stream without any chunk ends with a list of undefined.
function firstGeneration(output: unknown): Record<string, unknown> | undefined {
  const lists = isObject(output) ? output.generations : undefined;
  const first: unknown = Array.isArray(lists) && Array.isArray(lists[0]) ? lists[0][0] : undefined;
  return isObject(first) ? first : undefined;
}
