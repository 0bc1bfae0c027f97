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

  of(conversationId: string | undefined): readonly string[] {
    return this.#messages.get(conversationId ?? '') ?? [];
  }

  note(conversationId: string, { role, content, status }: Pick<TurnMessage, 'role' | 'content' | 'status'>): void {
    const said = this.#messages.get(conversationId) ?? [];
    this.#messages.delete(conversationId);
    if (role === 'assistant' && status === 'complete') return;
    if (role === 'user') said.push(content);
    if (said.length > MAX_MESSAGES) said.shift();
    this.#messages.set(conversationId, said);
    if (this.#messages.size > this.#limit)
      for (const oldest of this.#messages.keys()) return void this.#messages.delete(oldest);
  }
}
