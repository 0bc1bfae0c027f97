import type { StreamPart } from './model-spec.js';

/** A call of a tool, as the model makes it. */
export interface ToolCall {
  readonly id: string;
  readonly name: string | undefined;
  /** As JSON. */
  readonly input: unknown;
}

/**
 * The calls of tools in one run.
 *
 * ```
 *   made ──► waiting ──its result is seen, or the model is asked again──► ran
 *      └──the provider runs it──────────────────────────────────────────► ran
 * ```
 * One that still waits when the run ends is for somebody outside: a client that runs it, a person who approves it.
 */
export class ToolCalls {
  readonly #before: readonly string[];
  readonly #calls: (ToolCall & { ran: boolean })[] = [];

  /** @param before the names of those that ran before the run, or run first in it: the answer has waited for them */
  constructor(before: readonly string[] = []) {
    this.#before = before;
  }

  add({ toolCallId, toolName, input, providerExecuted }: StreamPart): void {
    const name = typeof toolName === 'string' ? toolName : undefined;
    this.#calls.push({ id: String(toolCallId), name, input, ran: providerExecuted === true });
  }

  /** The model is asked again: it gets the results of all calls so far. */
  answered(): void {
    for (const call of this.#calls) call.ran = true;
  }

  /** The results of these are known. */
  ran(toolCallIds: ReadonlySet<string>): void {
    for (const call of this.#calls) if (toolCallIds.has(call.id)) call.ran = true;
  }

  /** Those that wait. */
  get waiting(): readonly ToolCall[] {
    return this.#calls.filter(({ ran }) => !ran);
  }

  /** The names of all, in order; with `ran`, without those that wait. */
  names({ ran = false }: { ran?: boolean } = {}): string[] {
    return [
      ...this.#before,
      ...this.#calls.flatMap(call => (call.name !== undefined && (call.ran || !ran) ? [call.name] : [])),
    ];
  }
}
