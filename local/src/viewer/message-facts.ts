import type { JsonObject, JsonValue } from 'synap-recorder';
import type { StoredMessage } from '../store/records.js';

/** A file of a message. */
export interface AttachmentFacts {
  /** Its name, or else its media type, or else "file". */
  label: string;
  mediaType: string | undefined;
  /** http or https; anything else is no link. */
  url: string | undefined;
}

/** The metadata of a message, as far as it has the expected types. Times are in milliseconds. */
export interface MessageFacts {
  /** ISO-8601: when it was said, or else when it was recorded. */
  saidAt: string;
  turnId: string | undefined;
  framework: string | undefined;
  model: string | undefined;
  responseModel: string | undefined;
  provider: string | undefined;
  status: 'complete' | 'error' | 'aborted' | 'abandoned' | undefined;
  error: string | undefined;
  finishReason: string | undefined;
  latencyMs: number | undefined;
  timeToFirstTokenMs: number | undefined;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  cachedInputTokens: number | undefined;
  reasoningTokens: number | undefined;
  steps: number | undefined;
  toolCalls: string[];
  attachments: AttachmentFacts[];
}

const STATUSES = ['complete', 'error', 'aborted', 'abandoned'] as const;

/** Reads a message's metadata, which anybody may have written: fields of the wrong type are ignored. */
export function messageFacts({ role, metadata, recordedAt }: StoredMessage): MessageFacts {
  const said = role === 'assistant' ? (metadata.ended_at ?? metadata.started_at) : metadata.started_at;
  return { ...answerFacts(metadata), saidAt: time(said) ?? recordedAt };
}

/** As {@link messageFacts}, without the time. */
export function answerFacts(metadata: JsonObject): Omit<MessageFacts, 'saidAt'> {
  return {
    turnId: text(metadata.turn_id),
    framework: text(metadata.framework),
    model: text(metadata.model),
    responseModel: text(metadata.response_model),
    provider: text(metadata.provider),
    status: STATUSES.find(status => status === metadata.status),
    error: text(metadata.error),
    finishReason: text(metadata.finish_reason),
    latencyMs: amount(metadata.latency_ms),
    timeToFirstTokenMs: amount(metadata.time_to_first_token_ms),
    inputTokens: amount(metadata.input_tokens),
    outputTokens: amount(metadata.output_tokens),
    cachedInputTokens: amount(metadata.cached_input_tokens),
    reasoningTokens: amount(metadata.reasoning_tokens),
    steps: amount(metadata.steps),
    toolCalls: list(metadata.tool_calls).flatMap(name => text(name) ?? []),
    attachments: list(metadata.attachments).flatMap(attachment),
  };
}

function attachment(value: JsonValue): AttachmentFacts[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const mediaType = text(value.media_type);
  const url = text(value.url);
  return [
    { label: text(value.filename) ?? mediaType ?? 'file', mediaType, url: url && isWebUrl(url) ? url : undefined },
  ];
}

/** @returns whether a link may lead there: nothing that a browser would run or open from this machine */
function isWebUrl(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}

// What is longer is cut: it is shown on one line.
const MAX_LENGTH = 500;

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.slice(0, MAX_LENGTH).toWellFormed() : undefined;
}

function amount(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}

function time(value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

// As many tools and files as one message shows.
const MAX_ITEMS = 50;

function list(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value.slice(0, MAX_ITEMS) : [];
}
