import { has, isNumber, property } from '../internal/guards.js';
import { head } from './cut-text.js';
import { headOf } from './lists.js';
import type { TurnDetails, Usage } from './metadata.js';

const TEXTS = ['model', 'responseModel', 'provider', 'finishReason'] as const;
const COUNTS = ['inputTokens', 'outputTokens', 'totalTokens', 'cachedInputTokens', 'reasoningTokens'] as const;
// One more than is recorded, so that a cut is seen.
const MAX_TEXT = 1001;

/**
 * What an app or an adapter knows of an answer, read once, each part by itself: one that can't be read, or is not what
 * it should be, stays unknown and costs none of the others. It is as small as what is recorded of it, however large the
 * lists and texts are that were handed over; only the app's own tags are still the app's.
 */
export function readDetails(details: unknown): TurnDetails {
  if (typeof details !== 'object' || details === null) return {};
  const read: Record<string, unknown> = {};
  const take = (name: keyof TurnDetails, known: (value: unknown) => unknown) => {
    if (has(details, name)) read[name] = known(property(details, name));
  };
  for (const name of TEXTS) take(name, shortText);
  take('steps', value => (isNumber(value) ? value : undefined));
  take('usage', readUsage);
  for (const name of ['toolCalls', 'pendingToolCalls', 'continuesToolCalls'] as const)
    take(name, texts => headOf(texts)?.map(text => shortText(text)));
  take('attachments', files => headOf(files)?.map(readAttachment));
  take('sources', sources => headOf(sources)?.map(readSource));
  take('metadata', tags => (typeof tags === 'object' && tags !== null ? tags : undefined));
  return read;
}

function readUsage(usage: unknown): Usage | undefined {
  if (typeof usage !== 'object' || usage === null) return undefined;
  const read: Usage = {};
  for (const name of COUNTS) {
    const count = property(usage, name);
    if (isNumber(count)) read[name] = count;
  }
  return read;
}

function readAttachment(file: unknown): Record<string, unknown> {
  const part = (name: string, most?: number) => shortText(property(file, name), most);
  return { mediaType: part('mediaType'), filename: part('filename'), url: part('url', 8192) };
}

function readSource(source: unknown): Record<string, unknown> {
  return { url: shortText(property(source, 'url'), 8192), title: shortText(property(source, 'title')) };
}

function shortText(value: unknown, most = MAX_TEXT): string | undefined {
  return typeof value === 'string' ? head(value, most) : undefined;
}
