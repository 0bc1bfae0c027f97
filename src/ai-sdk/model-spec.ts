import type { Usage } from '../recorder/metadata.js';

/**
 * A language model of the specification v2, v3 or v4 (AI SDK 5, 6, 7), as far as a recorder looks at it. The parts that
 * differ between them are read as unknown and brought to one form here.
 */
export interface AnyLanguageModel {
  readonly specificationVersion: string;
  readonly provider: string;
  readonly modelId: string;
  doGenerate(params: ModelParams): PromiseLike<GenerateResult>;
  doStream(params: ModelParams): PromiseLike<StreamResult>;
}

export interface ModelParams {
  prompt: readonly { role: string; content: unknown }[];
  abortSignal?: AbortSignal | undefined;
  providerOptions?: Record<string, unknown> | undefined;
}

export interface GenerateResult {
  content?: readonly StreamPart[];
  finishReason?: unknown;
  usage?: unknown;
  response?: { modelId?: unknown } | undefined;
}

export interface StreamResult {
  stream: ReadableStream<StreamPart>;
}

/** One part of a stream, or of a generated content: the fields of all the types that a recorder reads. */
export interface StreamPart {
  type: string;
  /** `text-delta` */
  delta?: unknown;
  /** `text`, in generated content */
  text?: unknown;
  /** `file` */
  mediaType?: unknown;
  /** `source` */
  url?: unknown;
  title?: unknown;
  toolName?: unknown;
  toolCallId?: unknown;
  /** Of a `tool-call`: its arguments, as JSON. */
  input?: unknown;
  providerExecuted?: unknown;
  modelId?: unknown;
  finishReason?: unknown;
  usage?: unknown;
  error?: unknown;
}

/** What is said of an error that the provider only mentions. */
export const UNKNOWN_PROVIDER_ERROR = new Error('the provider reported an error');

export function isLanguageModel(value: unknown): value is AnyLanguageModel {
  const model = value as Partial<AnyLanguageModel> | null | undefined;
  if (typeof model !== 'object' || model === null) return false;
  return typeof model.doStream === 'function' || typeof model.doGenerate === 'function';
}

/** v2 says a string, v3 and v4 `{ unified, raw }`. */
export function readFinishReason(reason: unknown): string | undefined {
  const word = typeof reason === 'object' && reason !== null ? (reason as { unified?: unknown }).unified : reason;
  return typeof word === 'string' ? word : undefined;
}

/** v2 counts in numbers, v3 and v4 in `{ total, cacheRead, reasoning, … }`; the functions' results mix the two. */
export function readUsage(usage: unknown): Usage {
  const { inputTokens, outputTokens, totalTokens, cachedInputTokens, reasoningTokens, ...others } = fields(usage);
  const inputDetails = fields(others.inputTokenDetails);
  const outputDetails = fields(others.outputTokenDetails);
  const input = fields(inputTokens);
  const output = fields(outputTokens);
  return {
    inputTokens: number(inputTokens) ?? number(input.total),
    outputTokens: number(outputTokens) ?? number(output.total),
    totalTokens: number(totalTokens),
    cachedInputTokens: number(cachedInputTokens) ?? number(input.cacheRead) ?? number(inputDetails.cacheReadTokens),
    reasoningTokens: number(reasoningTokens) ?? number(output.reasoning) ?? number(outputDetails.reasoningTokens),
  };
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
