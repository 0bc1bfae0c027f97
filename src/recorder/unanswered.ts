import { v5 as uuidv5 } from 'uuid';
import type { TurnMessage } from './turn.js';

const MAX_MESSAGES = 20;
const NAMESPACE = '8e7d1c52-90f4-4b0a-8c39-6f1d2ab7e003';

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

/** Prompts may be long and many; what they said is not needed to know one again. */
function digest(content: string): string {
  return content.length <= 36 ? content : uuidv5(content.toWellFormed(), NAMESPACE);
}
