import * as z from 'zod/v4';
import { isObject } from '../internal/guards.js';
import type {
  CompactedContext,
  Compaction,
  CompactionStatus,
  ContextApi,
  ContextForPrompt,
  ContextItem,
  FetchContextInput,
  FetchedContext,
  RequestOptions,
} from './context.js';
import { InvalidInputError } from './errors.js';
import { isUuid } from './messages.js';
import { aFlag, aListOf, aNumber, anyObject, aText, readFields, someFields } from './read-fields.js';

/** A call whose answer is read. */
export interface ContextCall {
  readonly path: string;
  /** Is posted. */
  readonly json?: object | undefined;
  /** Texts that no error may repeat. */
  readonly contents?: readonly string[];
  /** Changes nothing, so it may be sent twice. */
  readonly isRead: boolean;
}

/** @param send sends a call, and returns the JSON of its answer */
export function contextApi(send: (call: ContextCall, options?: RequestOptions) => Promise<unknown>): ContextApi {
  const get = (input: { conversationId: string }, path: string, options?: RequestOptions) =>
    send({ path: `/v1/conversations/${conversationOf(input)}/${path}`, isRead: true }, options);
  return {
    fetch: async (input, options) => {
      const contents = [input?.searchQuery ?? []].flat();
      const json = { conversation_id: conversationOf(input), search_query: contents, ...fetchFields(input) };
      const path = '/v1/context/conversation/fetch';
      return fetchedFromWire(await send({ path, json, contents, isRead: true }, options));
    },
    compact: async (input, options) => {
      const { strategy, targetTokens, force = false } = input;
      const json = { conversation_id: conversationOf(input), strategy, target_tokens: targetTokens, force };
      return readFields(compaction, await send({ path: '/v1/conversations/compact', json, isRead: false }, options));
    },
    getCompacted: async (input, options) =>
      readFields(
        compacted,
        await get(input, `compacted${query({ version: input.version, format: input.format })}`, options),
      ),
    getCompactionStatus: async (input, options) =>
      readFields(compactionStatus, await get(input, 'compaction/status', options)),
    getContextForPrompt: async (input, options) =>
      readFields(
        forPrompt,
        unwrapped(
          await get(input, `context-for-prompt${query({ style: input.style })}`, options),
          'context_for_prompt',
        ),
      ),
  };
}

function conversationOf(input: { conversationId: string }): string {
  const id: unknown = input?.conversationId;
  if (typeof id === 'string' && isUuid(id)) return id.toLowerCase();
  throw new InvalidInputError('conversationId must be a UUID: conversationUuid() makes one of any chat id', {
    field: 'conversationId',
  });
}

// JSON.stringify leaves out what is undefined.
function fetchFields(input: FetchContextInput) {
  const { maxResults = 10, types = ['all'], mode = 'fast', precisionLevel, userId, customerId, scope } = input;
  return {
    max_results: maxResults,
    types,
    mode,
    precision_level: precisionLevel === 'high' ? undefined : precisionLevel,
    user_id: userId,
    customer_id: customerId,
    scope,
  };
}

function query(parameters: Record<string, string | number | undefined>): string {
  const set = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return set.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(set) as Record<string, string>)}`;
}

function unwrapped(body: unknown, name: string): unknown {
  return isObject(body) && isObject(body[name]) ? body[name] : body;
}

const warning = z.union([z.string(), z.boolean()]).optional().catch(undefined);
const anything = z
  .unknown()
  .transform(value => value ?? undefined)
  .optional();
// A bare text stands for an item that has no more than that.
const items = aListOf(
  z
    .unknown()
    .transform(item => (typeof item === 'string' ? { content: item } : item))
    .pipe(z.unknown().refine(isObject))
    .transform((item): ContextItem => anyObject.parse(item) ?? {}),
);

const fetched = someFields({
  facts: items,
  preferences: items,
  episodes: items,
  emotions: items,
  temporalEvents: items,
  conversationContext: someFields({
    conversationId: aText,
    summary: aText,
    currentState: anything,
    keyExtractions: anything,
    recentTurns: items,
    compactionId: aText,
    compactedAt: aText,
  })
    .optional()
    .catch(undefined),
  metadata: anyObject,
});

function fetchedFromWire(body: unknown): FetchedContext {
  const { metadata, ...context } = readFields(fetched, unwrapped(body, 'context'));
  const around = anyObject.parse(isObject(body) ? body.metadata : undefined) ?? metadata;
  return { ...context, ...(around && { metadata: around }) };
}

const compaction: z.ZodType<Compaction> = someFields({
  compactionId: aText,
  conversationId: aText,
  status: aText,
  triggerType: aText,
  initiatedAt: aText,
  estimatedCompletionSeconds: aNumber,
  previousContext: anything,
  previousContextAgeSeconds: aNumber,
  previousCompactionId: aText,
});

const compacted: z.ZodType<CompactedContext> = someFields({
  formattedContext: aText,
  originalTokenCount: aNumber,
  compactedTokenCount: aNumber,
  compressionRatio: aNumber,
  strategyUsed: aText,
  validationScore: aNumber,
  validationPassed: aFlag,
  facts: items,
  decisions: items,
  preferences: items,
  currentState: anything,
  qualityWarning: warning,
});

const compactionStatus: z.ZodType<CompactionStatus> = someFields({
  status: aText,
  compactionId: aText,
  completedAt: aText,
  compressionRatio: aNumber,
  validationScore: aNumber,
  estimatedCompletionSeconds: aNumber,
  errorMessage: aText,
  latestVersion: aNumber,
  latestCreatedAt: aText,
});

// The app's own names stay as they are.
const recorded = z.record(z.string(), z.unknown()).optional().catch(undefined);

const forPrompt: z.ZodType<ContextForPrompt> = someFields({
  available: aFlag,
  formattedContext: aText,
  isStale: aFlag,
  compressionRatio: aNumber,
  validationScore: aNumber,
  compactionAgeSeconds: aNumber,
  qualityWarning: warning,
  recentMessages: aListOf(
    someFields({ role: z.string(), content: z.string(), timestamp: aText, messageId: aText, metadata: recorded }),
  ),
  recentMessageCount: aNumber,
  compactedMessageCount: aNumber,
  totalMessageCount: aNumber,
});
