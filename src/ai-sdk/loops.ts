import { textSinceUser, toolCallsSinceUser } from './content.js';
import type { ModelParams } from './model.js';
import type { Run } from './run.js';

const MAX_WAITING = 1000;

/**
 * Finds, for a wrapped model without a wrapped function around it, which calls belong to one run. A call says nothing of
 * its loop, but its prompt repeats it: the ids of the tool calls so far, or, after a refused call, the very same prompt.
 */
export class Loops {
  readonly #waiting = new Map<string, Run[]>();

  /** The run that waits for a call like this one. */
  take(params: ModelParams, conversation: string): Run | undefined {
    const key = keyOf(params, conversation);
    const runs = this.#waiting.get(key);
    const run = runs?.shift();
    if (runs?.length === 0) this.#waiting.delete(key);
    return run?.ended ? undefined : run;
  }

  /** The run goes on when its tools have answered: with a prompt that holds the calls made so far. */
  awaitTools(run: Run, params: ModelParams, conversation: string, toolCallIds: readonly string[]): void {
    const ids = [...toolCallsSinceUser(params.prompt), ...toolCallIds];
    this.#wait(run, JSON.stringify([conversation, ...ids]));
  }

  /** The call was refused: if it is tried again, it is with the same prompt. */
  awaitRetry(run: Run, params: ModelParams, conversation: string): void {
    this.#wait(run, keyOf(params, conversation));
  }

  #wait(run: Run, key: string): void {
    const runs = this.#waiting.get(key);
    if (runs) runs.push(run);
    else this.#waiting.set(key, [run]);
    // Runs that nobody takes up end as abandoned by themselves; here they are only to be forgotten.
    if (this.#waiting.size > MAX_WAITING)
      for (const oldest of this.#waiting.keys()) return void this.#waiting.delete(oldest);
  }
}

function keyOf({ prompt }: ModelParams, conversation: string): string {
  const ids = toolCallsSinceUser(prompt);
  if (ids.length > 0) return JSON.stringify([conversation, ...ids]);
  const user = prompt.findLast(message => message.role === 'user');
  return JSON.stringify([conversation, prompt.length, textOfUser(user?.content), textSinceUser(prompt)]);
}

function textOfUser(content: unknown): string {
  if (!Array.isArray(content)) return String(content);
  return content.map(part => (part?.type === 'text' ? part.text : `[${part?.type}]`)).join('\n');
}
