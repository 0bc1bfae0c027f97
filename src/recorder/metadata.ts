import { copyJson, type JsonObject, type JsonValue } from '../internal/json.js';
import { VERSION } from '../version.js';

/** How a turn ended. */
export type TurnStatus = 'complete' | 'error' | 'aborted' | 'abandoned';

/** Tokens, as the provider counted them. */
export interface Usage {
  inputTokens?: number | undefined;
  outputTokens?: number | undefined;
  totalTokens?: number | undefined;
  cachedInputTokens?: number | undefined;
  reasoningTokens?: number | undefined;
}

/** A file or image of a message: what it is and where, never its bytes. */
export interface Attachment {
  /** For example `image/png`. */
  mediaType?: string | undefined;
  filename?: string | undefined;
  /** An http(s) URL. A data URL holds bytes and is left out. */
  url?: string | undefined;
}

/** What an adapter, or an app, knows of an answer. What is not known stays absent. */
export interface TurnDetails {
  /** The model that was asked for. */
  model?: string | undefined;
  /** The model that answered, as the provider names it. */
  responseModel?: string | undefined;
  provider?: string | undefined;
  usage?: Usage | undefined;
  finishReason?: string | undefined;
  /** How many calls of the model the answer took. */
  steps?: number | undefined;
  /** The names of the tools that were called, in order. */
  toolCalls?: readonly string[] | undefined;
  attachments?: readonly Attachment[] | undefined;
  /** The app's own tags of this message. */
  metadata?: Record<string, unknown> | undefined;
}

/** The names that a message uses for itself; an app's tags can't have them. */
const RESERVED = new Set([
  'message_key',
  'turn_id',
  'framework',
  'model',
  'response_model',
  'provider',
  'latency_ms',
  'time_to_first_token_ms',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cached_input_tokens',
  'reasoning_tokens',
  'finish_reason',
  'status',
  'error',
  'steps',
  'tool_calls',
  'attachments',
  'started_at',
  'ended_at',
  'external_conversation_id',
  'recorder_version',
  'truncated',
  'original_length',
  'dropped_tags',
]);

/** Whether a name of the metadata is the recorder's own. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name);
}

/** What every message says about itself. */
export interface MessageFacts {
  messageKey: string;
  turnId: string;
  framework?: string | undefined;
  externalConversationId?: string | undefined;
  startedAt: Date;
  attachments?: readonly Attachment[] | undefined;
}

/** What only an answer says. Times are in milliseconds. */
export interface AnswerFacts extends TurnDetails {
  status: TurnStatus;
  error?: string | undefined;
  endedAt: Date;
  latencyMs: number | undefined;
  timeToFirstTokenMs?: number | undefined;
}

/** The metadata of a user's message. */
export function userMetadata(facts: MessageFacts): JsonObject {
  return known({
    message_key: facts.messageKey,
    turn_id: facts.turnId,
    framework: facts.framework,
    attachments: attachmentList(facts.attachments),
    started_at: facts.startedAt.toISOString(),
    external_conversation_id: facts.externalConversationId,
    recorder_version: VERSION,
  });
}

/** The metadata of an assistant's message. */
export function assistantMetadata(facts: MessageFacts, answer: AnswerFacts): JsonObject {
  const usage = answer.usage ?? {};
  return known({
    message_key: facts.messageKey,
    turn_id: facts.turnId,
    framework: facts.framework,
    model: answer.model,
    response_model: answer.responseModel,
    provider: answer.provider,
    latency_ms: milliseconds(answer.latencyMs),
    time_to_first_token_ms: milliseconds(answer.timeToFirstTokenMs),
    input_tokens: count(usage.inputTokens),
    output_tokens: count(usage.outputTokens),
    total_tokens: count(usage.totalTokens) ?? sum(usage.inputTokens, usage.outputTokens),
    cached_input_tokens: count(usage.cachedInputTokens),
    reasoning_tokens: count(usage.reasoningTokens),
    finish_reason: answer.finishReason,
    status: answer.status,
    error: answer.error,
    steps: count(answer.steps),
    tool_calls: Array.isArray(answer.toolCalls) && answer.toolCalls.length > 0 ? [...answer.toolCalls] : undefined,
    attachments: attachmentList(answer.attachments),
    started_at: facts.startedAt.toISOString(),
    ended_at: answer.endedAt.toISOString(),
    external_conversation_id: facts.externalConversationId,
    recorder_version: VERSION,
  });
}

/**
 * An app's tags as metadata, without what JSON can't carry and without the names a message uses for itself. `drop`
 * hears of each tag that is left out, and why.
 */
export function tagMetadata(
  tags: Record<string, unknown> | undefined,
  drop: (name: string, reason: string) => void,
): JsonObject {
  const kept: [string, JsonValue][] = [];
  for (const name of tags === undefined ? [] : keysOf(tags)) {
    if (RESERVED.has(name)) {
      drop(name, 'is a name that the recorder uses itself');
      continue;
    }
    const copy = copyJson(read(tags, name));
    if ('value' in copy) kept.push([name, copy.value]);
    else if (copy.problem.reason !== 'is of type undefined') drop(name, copy.problem.reason);
  }
  return Object.fromEntries(kept);
}

/** The sum of what is known of several calls' tokens; a count that no call knows stays unknown. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: sum(a.inputTokens, b.inputTokens),
    outputTokens: sum(a.outputTokens, b.outputTokens),
    totalTokens: sum(a.totalTokens, b.totalTokens),
    cachedInputTokens: sum(a.cachedInputTokens, b.cachedInputTokens),
    reasoningTokens: sum(a.reasoningTokens, b.reasoningTokens),
  };
}

const MAX_ERROR = 500;

/** An error as metadata: its name and message, cut to 500 characters. */
export function errorText(error: unknown): string {
  let text: string;
  try {
    text =
      error instanceof Error ? `${error.name}: ${error.message}` : typeof error === 'string' ? error : 'unknown error';
  } catch {
    text = 'unknown error';
  }
  return text.length > MAX_ERROR ? `${text.slice(0, MAX_ERROR)}…` : text;
}

function attachmentList(attachments: readonly Attachment[] | undefined): JsonObject[] | undefined {
  if (!attachments?.length) return undefined;
  return attachments.map(({ mediaType, filename, url }) =>
    known({ media_type: mediaType, filename, url: url && /^https?:/i.test(url) ? url : undefined }),
  );
}

function known(fields: Record<string, JsonValue | undefined>): JsonObject {
  const kept: JsonObject = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined && value !== '') kept[name] = value;
  }
  return kept;
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return count(a) === undefined ? count(b) : (a ?? 0) + (count(b) ?? 0);
}

function count(value: number | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function milliseconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.max(0, Math.round(value));
}

function keysOf(tags: Record<string, unknown>): string[] {
  try {
    // A text has keys, too: one for each of its characters.
    return typeof tags === 'object' ? Object.keys(tags) : [];
  } catch {
    return [];
  }
}

function read(tags: Record<string, unknown> | undefined, name: string): unknown {
  try {
    return tags?.[name];
  } catch {
    return () => 'a getter that throws is not JSON';
  }
}
