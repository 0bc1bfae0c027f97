import { MAX_MESSAGE_BYTES } from './truncate.js';
import type { TurnMessage } from './turn.js';

const MAX_MESSAGES = 20;

/**
 * What users said in each conversation since its last whole answer. An answer that failed leaves its prompt unanswered,
 * and the app sends it again before the next one; this tells such a repetition from news. Bounded: the conversations
 * that were quiet for longest are forgotten beyond `limit`.
 */
export class Unanswered {
  readonly #messages = new Map<string, string[]>();
  readonly #limit: number;

  constructor(limit = 1000) {
    this.#limit = limit;
  }

  has(conversationId: string | undefined, content: string): boolean {
    return this.#messages.get(conversationId ?? '')?.includes(digest(content)) ?? false;
  }

  note(conversationId: string, { role, content, status }: Pick<TurnMessage, 'role' | 'content' | 'status'>): void {
    const said = this.#messages.get(conversationId) ?? [];
    this.#messages.delete(conversationId);
    if (role === 'assistant' && status === 'complete') return;
    if (role === 'user') said.push(digest(content));
    if (said.length > MAX_MESSAGES) said.shift();
    this.#messages.set(conversationId, said);
    if (this.#messages.size > this.#limit)
      for (const oldest of this.#messages.keys()) return void this.#messages.delete(oldest);
  }
}

// Of a longer prompt this much is recorded at most; its end is looked at as well, since the question may stand there.
const MAX_HEAD = MAX_MESSAGE_BYTES;
const MAX_TAIL = 65_536;

/**
 * Prompts may be long and many; what they said is not needed to know one again. Two 32-bit FNV-1a hashes, of which the
 * second begins elsewhere, and the length: half of what SHA-1 costs in JavaScript, and nobody gains by a collision but
 * the loss of a prompt of their own.
 */
function digest(content: string): string {
  if (content.length <= 36) return content;
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  const tail = content.length - MAX_TAIL;
  for (let at = 0; at < content.length; at++) {
    if (at === MAX_HEAD && at < tail) at = tail;
    const unit = content.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b);
  }
  return `${content.length}:${a}:${b}`;
}
