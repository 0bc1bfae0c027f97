import * as z from 'zod/v4';
import { isObject } from '../internal/guards.js';
import { aConversationId, aJsonObject, aName, checkInput } from './check-input.js';
import type {
  CompactedContext,
  Compaction,
  CompactionStatus,
  ContextApi,
  ContextForPrompt,
  ContextItem,
  FetchedContext,
  RequestOptions,
} from './context.js';
import type { WithCustomer } from './customer-ids.js';
import { aFlag, aListOf, aNumber, anyObject, aText, readFields, someFields } from './read-fields.js';

/** A call whose answer is read. */
export interface ContextCall {
  readonly path: string;
  /** Is posted. */
  readonly json?: WithCustomer | undefined;
  /** Texts that no error may repeat. */
  readonly contents?: readonly string[];
  /** Whether a customer who is not sent stands in the metadata. Default `false`. */
  readonly keepsCustomer?: boolean;
  /** Changes nothing, so it may be sent twice. */
  readonly isRead: boolean;
}

const aCount = z.int('must be a whole number').min(1, 'must be 1 or more');
const oneOf = <const Values extends readonly [string, ...string[]]>(...values: Values) =>
  z.enum(values, `must be one of ${values.join(', ')}`);

const fetchInput = z.strictObject({
  conversationId: aConversationId,
  searchQuery: z.union([z.string(), z.array(z.string())], 'must be a text, or a list of texts').default([]),
  maxResults: aCount.default(10),
  types: z.array(aName, 'must be a list of texts').default(['all']),
  mode: oneOf('fast', 'accurate').default('fast'),
  precisionLevel: oneOf('high', 'medium').optional(),
  userId: aName.optional(),
  customerId: aName.optional(),
  scope: aJsonObject.optional(),
});
const compactInput = z.strictObject({
  conversationId: aConversationId,
  strategy: aName.optional(),
  targetTokens: aCount.optional(),
  force: z.boolean('must be true or false').default(false),
});
const compactedInput = z.strictObject({
  conversationId: aConversationId,
  version: z.int('must be a whole number').min(0).optional(),
  format: oneOf('structured', 'narrative', 'injection').optional(),
});
const statusInput = z.strictObject({ conversationId: aConversationId });
const promptInput = z.strictObject({
  conversationId: aConversationId,
  style: oneOf('structured', 'narrative', 'bullet_points').optional(),
});

/** @param send sends a call, and returns the JSON of its answer */
export function contextApi(send: (call: ContextCall, options?: RequestOptions) => Promise<unknown>): ContextApi {
  const get = (id: string, path: string, options?: RequestOptions) =>
    send({ path: `/v1/conversations/${id}/${path}`, isRead: true }, options);
  return {
    fetch: async (input, options) => {
      const json = fetchToWire(checkInput(fetchInput, input, 'input'));
      const call = { path: '/v1/context/conversation/fetch', json, contents: json.search_query, isRead: true };
      return fetchedFromWire(await send(call, options));
    },
    compact: async (input, options) => {
      const { conversationId, strategy, targetTokens, force } = checkInput(compactInput, input, 'input');
      const json = { conversation_id: conversationId, strategy, target_tokens: targetTokens, force };
      return readFields(compaction, await send({ path: '/v1/conversations/compact', json, isRead: false }, options));
    },
    getCompacted: async (input, options) => {
      const { conversationId, version, format } = checkInput(compactedInput, input, 'input');
      return readFields(compacted, await get(conversationId, `compacted${query({ version, format })}`, options));
    },
    getCompactionStatus: async (input, options) => {
      const { conversationId } = checkInput(statusInput, input, 'input');
      return readFields(compactionStatus, await get(conversationId, 'compaction/status', options));
    },
    getContextForPrompt: async (input, options) => {
      const { conversationId, style } = checkInput(promptInput, input, 'input');
      const body = await get(conversationId, `context-for-prompt${query({ style })}`, options);
      return readFields(forPrompt, unwrapped(body, 'context_for_prompt'));
    },
  };
}

// JSON.stringify leaves out what is undefined.
function fetchToWire(input: z.output<typeof fetchInput>) {
  const { conversationId, searchQuery, maxResults, types, mode, precisionLevel, userId, customerId, scope } = input;
  return {
    conversation_id: conversationId,
    search_query: [searchQuery].flat(),
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
  unread: aText,
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
