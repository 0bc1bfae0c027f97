import type { Role } from '../synap/messages.js';
import { textDigest } from './text-digest.js';
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
      contents.map(content => typeof content === 'string' && known?.includes(textDigest(content)) === true);
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
    if (role === 'user') prompts.push(textDigest(content));
    if (prompts.length > MAX_MESSAGES) prompts.shift();
    this.#unanswered.set(conversationId, prompts);
    if (this.#unanswered.size > this.#limit)
      for (const oldest of this.#unanswered.keys()) return void this.#unanswered.delete(oldest);
  }
}
