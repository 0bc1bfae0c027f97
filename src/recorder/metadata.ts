import type { JsonObject, JsonValue } from '../internal/json.js';
import { VERSION } from '../version.js';
import { cutText } from './cut-text.js';
import { attachmentList, sourceList, toolNames } from './lists.js';
import { copyTags } from './tags.js';
import type { Attachment, TurnDetails, TurnStatus, Usage } from './turn-details.js';

export type { Attachment, Source, TurnDetails, TurnStatus, Usage } from './turn-details.js';

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
  'pending_tool_calls',
  'continues_tool_calls',
  'continues',
  'edited',
  'trace_id',
  'attachments',
  'sources',
  'started_at',
  'ended_at',
  'external_conversation_id',
  'recorder_version',
  'truncated',
  'original_length',
  'dropped_tags',
  'truncated_fields',
]);

/** Whether a name of the metadata is the recorder's own. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name);
}

/** What every message says about itself, but for its key, which is made of the rest. */
export interface MessageFacts {
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
  const cut = new Set<string>();
  return known(cut, {
    turn_id: text(cut, 'turn_id', facts.turnId),
    framework: text(cut, 'framework', facts.framework),
    attachments: attachmentList(facts.attachments, () => cut.add('attachments')),
    started_at: isoTime(facts.startedAt),
    external_conversation_id: text(cut, 'external_conversation_id', facts.externalConversationId),
    recorder_version: VERSION,
  });
}

/** The metadata of an assistant's message. */
export function assistantMetadata(facts: MessageFacts, answer: AnswerFacts): JsonObject {
  const usage = answer.usage ?? {};
  const cut = new Set<string>();
  return known(cut, {
    turn_id: text(cut, 'turn_id', facts.turnId),
    framework: text(cut, 'framework', facts.framework),
    model: text(cut, 'model', answer.model),
    response_model: text(cut, 'response_model', answer.responseModel),
    provider: text(cut, 'provider', answer.provider),
    latency_ms: milliseconds(answer.latencyMs),
    time_to_first_token_ms: milliseconds(answer.timeToFirstTokenMs),
    input_tokens: count(usage.inputTokens),
    output_tokens: count(usage.outputTokens),
    total_tokens: count(usage.totalTokens) ?? sum(usage.inputTokens, usage.outputTokens),
    cached_input_tokens: count(usage.cachedInputTokens),
    reasoning_tokens: count(usage.reasoningTokens),
    finish_reason: text(cut, 'finish_reason', answer.finishReason),
    status: answer.status,
    error: answer.error,
    steps: count(answer.steps),
    tool_calls: toolNames(answer.toolCalls, () => cut.add('tool_calls')),
    pending_tool_calls: toolNames(answer.pendingToolCalls, () => cut.add('pending_tool_calls')),
    continues_tool_calls: toolNames(answer.continuesToolCalls, () => cut.add('continues_tool_calls')),
    attachments: attachmentList(answer.attachments, () => cut.add('attachments')),
    sources: sourceList(answer.sources, () => cut.add('sources')),
    started_at: isoTime(facts.startedAt),
    ended_at: isoTime(answer.endedAt),
    external_conversation_id: text(cut, 'external_conversation_id', facts.externalConversationId),
    recorder_version: VERSION,
  });
}

/**
 * An app's tags as metadata, without what JSON can't carry and without the names a message uses for itself. Where they
 * are too large, `dropped_tags` says how many of them are left out.
 *
 * @param layers the nearest first
 * @param drop called with each tag that is left out, and why
 */
export function tagMetadata(layers: readonly unknown[], drop: (name: string, reason: string) => void): JsonObject {
  let dropped = 0;
  const full = (count: number) => {
    dropped = count;
  };
  const tags = copyTags(layers, { isReserved, drop, full });
  return dropped === 0 ? tags : { ...tags, dropped_tags: dropped };
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

// Longer than the names of models and providers, and the chat ids of apps, are.
const MAX_TEXT = 1000;

/** A text of ours as metadata: what is no text is left out, and what is long is cut. */
function text(cut: Set<string>, name: string, value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  if (value.length <= MAX_TEXT) return value.toWellFormed();
  cut.add(name);
  return cutText(value, MAX_TEXT).toWellFormed();
}

function known(cut: ReadonlySet<string>, fields: Record<string, JsonValue | undefined>): JsonObject {
  const kept: JsonObject = {};
  for (const [name, value] of Object.entries(fields)) if (value !== undefined && value !== '') kept[name] = value;
  if (cut.size > 0) kept.truncated_fields = [...cut];
  return kept;
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return count(a) === undefined ? count(b) : (a ?? 0) + (count(b) ?? 0);
}

function count(value: number | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function milliseconds(value: number | undefined): number | undefined {
  return value === undefined || !Number.isFinite(value) ? undefined : Math.max(0, Math.round(value));
}

/** A point in time; undefined where a clock is wrong by so much that it is none. */
function isoTime(time: Date): string | undefined {
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
