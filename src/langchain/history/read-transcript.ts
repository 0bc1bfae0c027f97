import { text } from '../../internal/guards.js';
import type { ContextApi, ContextForPrompt, RecentMessage } from '../../synap/context.js';
import { contextApi } from '../../synap/context-calls.js';
import { UnexpectedResponseError } from '../../synap/errors.js';
// Over fetch, which keeps its connections: a history is made for one conversation, and soon forgotten.
import { httpTransport } from '../../synap/http.edge.js';
import { deadlineIn, readJson, SynapEndpoint } from '../../synap/request.js';
import { retryReads } from '../../synap/retry-reads.js';
import { checkTimeout } from '../../synap/settings.js';

/** What a history reads with: a `SynapClient` is one. */
interface ReadingClient {
  readonly conversation: { readonly context: Pick<ContextApi, 'getContextForPrompt'> };
}

/** Where a history is read from. */
export interface ReadOptions {
  /** A client of the app's, for example the one that the recorder was given, instead of an address and a key. */
  client?: ReadingClient | undefined;
  /** Defaults to `SYNAP_API_KEY`. */
  apiKey?: string | undefined;
  /** Defaults to `SYNAP_BASE_URL`, then to Synap's cloud. */
  baseUrl?: string | undefined;
  /** Milliseconds for all of a reading. Default 10,000. */
  timeoutMs?: number | undefined;
  /** Allows an `http://` base URL that is not loopback. */
  allowInsecure?: boolean | undefined;
}

/** A message as it was read. The compacted part of a conversation is a text, which is nobody's. */
export interface ReadMessage {
  readonly role: 'user' | 'assistant' | 'context';
  readonly content: string;
  /** The turn it was recorded with, where the server tells. */
  readonly turnId: string | undefined;
}

/** A conversation as it was read: what was compacted of it, and what was said since, in order. */
export interface ReadTranscript {
  readonly messages: readonly ReadMessage[];
  /** Whether each message stands in it: none is compacted or left out. */
  readonly isWhole: boolean;
}

export const NOTHING_READ: ReadTranscript = { messages: [], isWhole: true };

const TIMEOUT_MS = 10_000;
/** Messages may be as long as Synap takes them. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Reads a conversation, by `GET /v1/conversations/{id}/context-for-prompt`. One that nobody has recorded into is empty.
 *
 * @throws {@link AuthenticationError} the key is missing or refused
 * @throws {@link NetworkError} Synap can't be reached, or the reading timed out
 * @throws any other {@link SynapError}, by the status Synap answers
 */
export async function readTranscript(conversationId: string, options: ReadOptions): Promise<ReadTranscript> {
  const timeoutMs = checkTimeout(options.timeoutMs ?? TIMEOUT_MS);
  const context = options.client?.conversation.context ?? contextOver(options);
  try {
    return transcriptOf(await context.getContextForPrompt({ conversationId }, { timeoutMs }));
  } catch (error) {
    if (isUnknownConversation(error)) return NOTHING_READ;
    throw error;
  }
}

function contextOver(options: ReadOptions): ContextApi {
  const endpoint = SynapEndpoint.of({ ...options, logger: false });
  const transport = httpTransport(endpoint.origin);
  return contextApi(async (call, { timeoutMs = TIMEOUT_MS } = {}) => {
    const deadline = deadlineIn(timeoutMs);
    const request = { ...call, deadline, limits: { maxBytes: MAX_BYTES, timeoutMs } };
    const read = async () => readJson(await endpoint.send(transport, request), deadline);
    return retryReads(read, { timeoutMs, signals: [deadline.signal] });
  });
}

function transcriptOf(context: ContextForPrompt): ReadTranscript {
  const { available = true, formattedContext = '', recentMessages = [], compactedMessageCount = 0 } = context;
  const compacted: ReadMessage[] =
    available && formattedContext.trim() !== ''
      ? [{ role: 'context', content: formattedContext, turnId: undefined }]
      : [];
  const total = context.totalMessageCount ?? recentMessages.length;
  return {
    messages: [...compacted, ...recentMessages.flatMap(messageOf)],
    isWhole: compacted.length === 0 && compactedMessageCount === 0 && total <= recentMessages.length,
  };
}

function messageOf({ role: name, content, metadata }: RecentMessage): ReadMessage[] {
  const role = name === 'human' ? 'user' : name === 'ai' ? 'assistant' : name;
  if (role !== 'user' && role !== 'assistant') return [];
  return [{ role, content, turnId: text(metadata?.turn_id) }];
}

/** Synap says 404 of a conversation that does not exist yet, and of a route that it does not have. */
function isUnknownConversation(error: unknown): boolean {
  return UnexpectedResponseError.is(error) && error.status === 404 && /conversation/i.test(error.message);
}
