import { isObject, text } from '../internal/guards.js';
import type { Attachment, TurnDetails, Usage } from '../recorder/metadata.js';
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

/** What LangChain says of a model's call when it starts. */
export interface LlmStart extends CallStartFields {
  /** Whether its text may reach the user: not where it works for a tool, a hidden step, or another node. */
  readonly visible: boolean;
}

/** The signal that a model was called with, or none; the whole is undefined where that isn't known. */
interface CallSignal {
  readonly signal: AbortSignal | undefined;
  /** Whether LangGraph has made it, of the app's and of its own. */
  readonly derived: boolean;
}

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
  readonly model: string | undefined;
  readonly signal: CallSignal | undefined;
  state: 'running' | 'done' | 'failed' = 'running';
  streamed = false;
  messageId: string | undefined;
  /** Whether it called tools, so that its text is no answer. */
  forTools = false;
  toolCalls: readonly string[] = [];
  toolArguments: readonly unknown[] = [];
  usage: Usage = {};
  /** Files of the answer; where they stand in it, the text has a placeholder. */
  attachments: readonly Attachment[] = [];
  readonly #startedAt = ++moment;
  #endedAt = Infinity;
  #text = '';
  /** The first chunk: with some packages it names the model that answers, which counts where the end does not. */
  #opening: unknown;
  #provider: string | undefined;
  #responseModel: string | undefined;
  #finishReason: string | undefined;

  constructor(start: LlmStart) {
    const { metadata, extraParams, visible } = start;
    this.visible = visible;
    this.model = modelOf(start);
    this.#provider = providerOf(start);
    this.signal = signalOf(isObject(extraParams) ? extraParams.options : undefined, isObject(metadata) ? metadata : {});
  }

  /** What it says: an answer, if {@link answers}. */
  get text(): string {
    return isThinkingAloud(this.#provider) ? withoutThoughts(this.#text) : this.#text;
  }

  /**
   * A token of handleLLMNewToken.
   *
   * @returns whether it says anything: providers open with empty ones
   */
  token(token: unknown, index: unknown, fields: unknown): boolean {
    // A call may give several completions at once; the first is the one that is returned.
    if (this.state !== 'running' || (isObject(index) && index.completion !== undefined && index.completion !== 0))
      return false;
    const chunk = isObject(fields) && isObject(fields.chunk) ? fields.chunk : undefined;
    const message = chunk && isObject(chunk.message) ? chunk.message : undefined;
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

  /** The result of handleLLMEnd. */
  end(output: unknown, { cached = false } = {}): void {
    this.state = 'done';
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
    const result = { generation, llmOutput: isObject(output) ? output.llmOutput : undefined };
    this.#provider ??= providerOfResult(result);
    this.#responseModel = responseModelOf({ ...result, model: this.model }) ?? this.#responseModel;
    this.#finishReason = finishReasonOf(result);
    if (this.#text.trim() === '' && isFiltered(this.#finishReason)) this.#text = `[no answer: ${this.#finishReason}]`;
    // What a cache gives out was counted when it was made.
    if (!cached) this.usage = usageOf(result);
  }

  fail(): void {
    this.state = 'failed';
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
  }

  #openingModel(): string | undefined {
    return responseModelOf({ generation: this.#opening, model: this.model });
  }
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
