import type { Role } from '../synap/messages.js';
import { MAX_MESSAGE_BYTES } from './truncate.js';
import type { TurnStatus } from './turn-details.js';

const MAX_MESSAGES = 20;

/**
 * What users said in each conversation since its last whole answer. An answer that failed leaves its prompt unanswered,
 * and the app sends it again before the next one; this tells such a repetition from news. Bounded: the conversations
 * that were quiet for longest are forgotten beyond `limit`.
 */
export class RepeatedPrompts {
  readonly #unanswered = new Map<string, string[]>();
  // Of each prompt as a whole: what is noted while its messages are recorded one by one is no repetition.
  readonly #repetitions = new WeakMap<readonly unknown[], readonly boolean[]>();
  readonly #limit: number;

  constructor(limit = 1000) {
    this.#limit = limit;
  }

  /**
   * @param contents the user's messages at the end of a prompt, the same list for each of them. The last is always news.
   * @returns whether the one at `index` was said before, in this process, since the last whole answer
   */
  isRepeated(conversationId: string, contents: readonly unknown[], index: number): boolean {
    if (index === contents.length - 1) return false;
    const known = this.#unanswered.get(conversationId);
    const repeated =
      this.#repetitions.get(contents) ??
      contents.map(content => typeof content === 'string' && known?.includes(digest(content)) === true);
    this.#repetitions.set(contents, repeated);
    return repeated[index] ?? false;
  }

  /** @param message a message that is news; an answer has a `status` */
  note(
    conversationId: string,
    message: { readonly role: Role; readonly content: string; readonly status?: TurnStatus | undefined },
  ): void {
    const { role, content, status } = message;
    const prompts = this.#unanswered.get(conversationId) ?? [];
    this.#unanswered.delete(conversationId);
    if (role === 'assistant' && status === 'complete') return;
    if (role === 'user') prompts.push(digest(content));
    if (prompts.length > MAX_MESSAGES) prompts.shift();
    this.#unanswered.set(conversationId, prompts);
    if (this.#unanswered.size > this.#limit)
      for (const oldest of this.#unanswered.keys()) return void this.#unanswered.delete(oldest);
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
