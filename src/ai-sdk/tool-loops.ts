import { v5 as uuidv5 } from 'uuid';
import type { Identity } from '../recorder/identity.js';
import type { ModelParams } from './model-spec.js';
import { textSinceUser, toolCallsSinceUser } from './prompt.js';
import type { Run } from './run.js';

const NAMESPACE = 'c4b0f4d2-6a55-4c3b-8f2e-2d1a7e90b6f1';
const MAX_WAITING = 1000;

/**
 * Finds, for a wrapped model without a wrapped function around it, which calls belong to one run. A call says nothing of
 * its loop, but its prompt repeats it: the ids of the tool calls so far, or, after a refused call, the very same prompt.
 * Only calls under the same identity belong together.
 */
export class Loops {
  readonly #waiting = new Map<string, Run[]>();
  readonly #keyOf = new WeakMap<Run, { key: string; identity: Identity }>();

  /** The run that waits for a call like this one. */
  take(params: ModelParams, identity: Identity): Run | undefined {
    const [run] = this.#waiting.get(keyOf(params, identity)) ?? [];
    if (run) this.forget(run);
    return run;
  }

  /** The run goes on when its tools have answered: with a prompt that holds the calls made so far. */
  awaitTools(run: Run, params: ModelParams, identity: Identity, toolCallIds: readonly string[]): void {
    this.#wait(run, keyOf(params, identity, toolCallIds), identity);
  }

  /** The call was refused: if it is tried again, it is with the same prompt. */
  awaitRetry(run: Run, params: ModelParams, identity: Identity): void {
    this.#wait(run, keyOf(params, identity), identity);
  }

  /** The runs that wait in the conversation of an identity; a turn without one has a conversation of its own. */
  of({ conversationId, userId, customerId }: Identity): Run[] {
    if (conversationId === undefined) return [];
    return [...this.#waiting.values()].flat().filter(run => {
      const other = this.#keyOf.get(run)?.identity;
      return other?.conversationId === conversationId && other.userId === userId && other.customerId === customerId;
    });
  }

  forget(run: Run): void {
    const key = this.#keyOf.get(run)?.key;
    if (key === undefined) return;
    this.#keyOf.delete(run);
    const others = this.#waiting.get(key)?.filter(other => other !== run) ?? [];
    if (others.length > 0) this.#waiting.set(key, others);
    else this.#waiting.delete(key);
  }

  #wait(run: Run, key: string, identity: Identity): void {
    this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), run]);
    this.#keyOf.set(run, { key, identity });
    if (this.#waiting.size <= MAX_WAITING) return;
    for (const [oldest] of this.#waiting.values()) return oldest && this.forget(oldest);
  }
}

function keyOf({ prompt }: ModelParams, identity: Identity, furtherCalls: readonly string[] = []): string {
  const { conversationId, userId, customerId, sessionId } = identity;
  const ids = [...toolCallsSinceUser(prompt), ...furtherCalls];
  const user = promptWords(prompt.findLast(message => message.role === 'user')?.content);
  const place = ids.length > 0 ? ids : [prompt.length, textSinceUser(prompt)];
  // Prompts are long; what they hold is not needed to know one again.
  return uuidv5(JSON.stringify([conversationId, userId, customerId, sessionId, user, ...place]), NAMESPACE);
}

function promptWords(content: unknown): string {
  if (!Array.isArray(content)) return String(content);
  return content.map(part => (part?.type === 'text' ? part.text : `[${part?.type}]`)).join('\n');
}
