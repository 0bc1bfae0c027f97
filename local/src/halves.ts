import type { JsonObject, JsonValue } from 'synap-recorder';

// One message on the screen may be recorded in halves: the first waits for calls of tools that a client runs or a person
// approves, and the second comes with another request, once they are answered. The first names the calls in
// `pending_tool_calls`, the second in `continues_tool_calls`. Their ids may repeat within a conversation (`call_0`), so a half
// belongs to the nearest one before it. An app may also go on with an answer without a tool between; then the second half
// names the key of the first in `continues`, and comes right after it.

/** A message as far as its halves go; it is read as unknown data. */
export interface Half {
  readonly role: string;
  readonly content: string;
  readonly metadata: JsonObject;
}

// As many messages stand between two halves at most.
const MAX_BETWEEN = 200;

/** Finds the first half of each second one, in the messages of one conversation, which come in order. */
class FirstHalves<M extends Half> {
  #waiting: { readonly ids: ReadonlySet<JsonValue>; readonly message: M }[] = [];
  #last: { readonly key: JsonValue | undefined; readonly message: M } | undefined;

  /** Whether nothing that was added may have a second half. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#last === undefined;
  }

  /** @param key by which a message may go on with it: that of its latest half */
  add(message: M, key = message.metadata.message_key): void {
    const ids = new Set(callIds(message, 'pending_tool_calls'));
    if (ids.size > 0) this.#waiting.push({ ids, message });
    this.#last = message.role === 'assistant' && typeof key === 'string' ? { key, message } : undefined;
  }

  /** The first half that a message goes on with; each is found once. */
  take(message: M): M | undefined {
    const ids = callIds(message, 'continues_tool_calls');
    const first = this.#waiting.findLast(waiting => ids.some(id => waiting.ids.has(id)));
    const last = this.#last;
    this.#last = undefined;
    this.#waiting = this.#waiting.filter(waiting => waiting !== first);
    if (first || last === undefined) return first?.message;
    return message.role === 'assistant' && message.metadata.continues === last.key ? last.message : undefined;
  }
}

function callIds({ role, metadata }: Half, field: string): JsonValue[] {
  const ids = metadata[field];
  return role === 'assistant' && Array.isArray(ids) ? ids.filter(id => typeof id === 'string') : [];
}

/** The messages of a conversation, each second half right after its first, and what was said by halves. */
export function halvesTogether<M extends Half>(messages: readonly M[]): { message: M; isSecond: boolean }[] {
  const firsts = new FirstHalves<M>();
  const ordered: { message: M; isSecond: boolean }[] = [];
  for (const message of messages) {
    const first = firsts.take(message);
    const at = first ? ordered.findIndex(one => one.message === first) : -1;
    ordered.splice(at < 0 ? ordered.length : at + 1, 0, { message, isSecond: at >= 0 });
    firsts.add(message);
  }
  return ordered;
}

/**
 * Joins the halves of messages that come one after the other. What comes after a first half is held back until the second is
 * there, the conversation is over, or it is too much.
 */
export class HalfJoiner<M extends Half> {
  readonly #conversationOf: (message: M) => string;
  #held: M[] = [];
  #firsts = new FirstHalves<M>();

  constructor(conversationOf: (message: M) => string) {
    this.#conversationOf = conversationOf;
  }

  /** @returns what is whole now, in order */
  next(message: M): M[] {
    const [held] = this.#held;
    const before = held && this.#conversationOf(held) !== this.#conversationOf(message) ? this.end() : [];
    const first = this.#firsts.take(message);
    const joined = first ? join(first, message) : message;
    if (first) this.#held[this.#held.indexOf(first)] = joined;
    else this.#held.push(joined);
    this.#firsts.add(joined, message.metadata.message_key);
    return this.#firsts.isEmpty || this.#held.length > MAX_BETWEEN ? [...before, ...this.end()] : before;
  }

  /** @returns what was held back */
  end(): M[] {
    const held = this.#held;
    this.#held = [];
    this.#firsts = new FirstHalves();
    return held;
  }
}

/** As {@link HalfJoiner}, of all messages of one conversation. */
export function* joinHalves<M extends Half>(messages: Iterable<M>): Generator<M> {
  const joiner = new HalfJoiner<M>(() => '');
  for (const message of messages) yield* joiner.next(message);
  yield* joiner.end();
}

const SUMS = [
  'latency_ms',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cached_input_tokens',
  'reasoning_tokens',
  'steps',
] as const;
const LISTS = ['tool_calls', 'attachments', 'sources'] as const;

/** How it began is known from the first half, how it ended from the second. */
function join<M extends Half>(first: M, second: M): M {
  const { pending_tool_calls: _, ...begun } = first.metadata;
  const metadata: JsonObject = { ...begun };
  for (const name of ['status', 'error', 'finish_reason', 'ended_at', 'pending_tool_calls', 'model', 'response_model'])
    if (second.metadata[name] !== undefined) metadata[name] = second.metadata[name];
  for (const name of SUMS) {
    const sum = [first, second].map(half => half.metadata[name]).filter(value => typeof value === 'number');
    if (sum.length > 0) metadata[name] = sum.reduce((a, b) => a + b, 0);
  }
  for (const name of LISTS) {
    const list = [first, second].flatMap(half => (Array.isArray(half.metadata[name]) ? half.metadata[name] : []));
    if (list.length > 0) metadata[name] = list;
  }
  return { ...first, content: [first.content, second.content].filter(text => text !== '').join('\n\n'), metadata };
}
