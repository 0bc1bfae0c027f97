import { isObject, text } from '../../internal/guards.js';
import { isSuccess } from '../../synap/error-from-response.js';
import { UnexpectedResponseError } from '../../synap/errors.js';
// Over fetch, which keeps its connections: a history is made for one conversation, and soon forgotten.
import { httpTransport } from '../../synap/http.edge.js';
import { deadlineIn, readJson, SynapEndpoint } from '../../synap/request.js';
import { checkTimeout } from '../../synap/settings.js';
import type { HttpTransport } from '../../synap/transport.js';

/** Where a history is read from. */
export interface ReadOptions {
  /** Defaults to `SYNAP_API_KEY`. */
  apiKey?: string | undefined;
  /** Defaults to `SYNAP_BASE_URL`, then to Synap's cloud. */
  baseUrl?: string | undefined;
  /** Milliseconds for all of a reading. Default 10,000. */
  timeoutMs?: number | undefined;
  /** Allows an `http://` base URL that is not loopback. */
  allowInsecure?: boolean | undefined;
}

/** A message as it was read. A prompt's context may be given as a text instead, which is nobody's. */
export interface ReadMessage {
  readonly role: 'user' | 'assistant' | 'context';
  readonly content: string;
  /** The turn it was recorded with, where the server tells. */
  readonly turnId: string | undefined;
}

const TIMEOUT_MS = 10_000;
const PAGE = 200;
// A server whose pages never end would keep an app for ever.
const MAX_PAGES = 1000;
/** Of one page: its messages may be as long as Synap takes them. */
const MAX_PAGE_BYTES = 256 * 1024 * 1024;

/**
 * Reads a conversation: by `GET /v1/conversations/{id}/messages`, which a local Synap has, or else by
 * `…/context-for-prompt`. A conversation that nobody has recorded into is empty.
 *
 * @throws {@link AuthenticationError} the key is missing or refused
 * @throws {@link NetworkError} Synap can't be reached, or the reading timed out
 * @throws any other {@link SynapError}, by the status Synap answers
 */
export async function readTranscript(conversationId: string, options: ReadOptions): Promise<ReadMessage[]> {
  const endpoint = SynapEndpoint.of({ ...options, logger: false });
  const timeoutMs = checkTimeout(options.timeoutMs ?? TIMEOUT_MS);
  return readPages(conversationId, getter(endpoint, httpTransport(endpoint.origin), timeoutMs));
}

type Get = (path: string) => Promise<unknown>;

async function readPages(conversationId: string, get: Get): Promise<ReadMessage[]> {
  const path = `/v1/conversations/${encodeURIComponent(conversationId)}`;
  const messages: ReadMessage[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const next = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await get(`${path}/messages?limit=${PAGE}${next}`);
    if (answer === 'no conversation') return messages;
    if (answer === 'no route') return readContext(await get(`${path}/context-for-prompt`));
    messages.push(...messagesOf(isObject(answer) ? answer.messages : answer));
    const following = isObject(answer) ? text(answer.next_cursor) : undefined;
    if (following === undefined || following === cursor) break;
    cursor = following;
  }
  return messages;
}

/** The names under which an answer may hold its messages, or a text that stands for them. No document says which. */
const CONTEXT_KEYS = [
  'messages',
  'recent_messages',
  'context',
  'formatted_context',
  'prompt',
  'text',
  'content',
  'data',
];

function readContext(answer: unknown): ReadMessage[] {
  if (answer === 'no conversation') return [];
  if (answer === 'no route')
    throw new UnexpectedResponseError(
      'Synap has no route to read a conversation by. Check that read.baseUrl is the address of Synap',
      { status: 404 },
    );
  return contextOf(answer, 3) ?? [];
}

function contextOf(value: unknown, depth: number): ReadMessage[] | undefined {
  if (typeof value === 'string')
    return value.trim() === '' ? undefined : [{ role: 'context', content: value, turnId: undefined }];
  if (Array.isArray(value)) return messagesOf(value);
  if (!isObject(value) || depth === 0) return undefined;
  const found = CONTEXT_KEYS.map(key => contextOf(value[key], depth - 1)).filter(messages => messages !== undefined);
  return found.find(messages => messages.length > 0) ?? found[0];
}

function messagesOf(list: unknown): ReadMessage[] {
  return Array.isArray(list) ? list.flatMap(messageOf) : [];
}

function messageOf(value: unknown): ReadMessage[] {
  if (!isObject(value) || typeof value.content !== 'string') return [];
  const role = value.role === 'human' ? 'user' : value.role === 'ai' ? 'assistant' : value.role;
  if (role !== 'user' && role !== 'assistant') return [];
  const metadata = isObject(value.metadata) ? value.metadata : {};
  return [{ role, content: value.content, turnId: text(metadata.turn_id) }];
}

/** Gets JSON. What is not there is said by a word: the route, or the conversation. */
function getter(endpoint: SynapEndpoint, transport: HttpTransport, timeoutMs: number): Get {
  const deadline = deadlineIn(timeoutMs);
  const limits = { maxBytes: MAX_PAGE_BYTES, timeoutMs };
  return async path => {
    const request = { path, deadline, limits };
    const answer = await endpoint.ask(transport, request);
    const { status, body } = answer;
    if (status === 404 || status === 405) return /conversation/i.test(body) ? 'no conversation' : 'no route';
    if (!isSuccess(answer)) throw endpoint.errorOf(answer, request);
    return readJson(answer, deadline);
  };
}
