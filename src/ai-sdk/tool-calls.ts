import { property } from '../internal/guards.js';
import type { TurnDetails } from '../recorder/metadata.js';

// More than is recorded.
const MAX_NAMES = 200;

/** A call of a tool, as the model makes it. */
export interface ToolCall {
  readonly id: string;
  readonly name: string | undefined;
  /** As JSON. */
  readonly input: unknown;
}

/** A call of a tool, as a part of an answer: a model's, or the SDK's own. */
interface ToolCallPart {
  readonly toolCallId?: unknown;
  readonly toolName?: unknown;
  readonly input?: unknown;
  readonly providerExecuted?: unknown;
}

/**
 * The calls of tools in one run.
 *
 * ```
 *   made ──► waiting ──its result is seen, or the model is asked again──► ran
 *      ├──the provider runs it──────────────────────────────────────────► ran
 *      └──somebody denies it────────────────────────────────────────────► gone
 * ```
 * One that still waits when the run ends is for somebody outside: a client that runs it, a person who approves it.
 */
export class ToolCalls {
  // The names of those before the latest step, which have all run.
  #before: readonly string[];
  #calls: (ToolCall & { ran: boolean })[] = [];

  /** @param before the names of those that ran before the run, or run first in it: the answer has waited for them */
  constructor(before: readonly string[] = []) {
    this.#before = before;
  }

  add({ toolCallId, toolName, input, providerExecuted }: ToolCallPart): void {
    const name = typeof toolName === 'string' ? toolName : undefined;
    this.#calls.push({ id: String(toolCallId), name, input, ran: providerExecuted === true });
  }

  /** The model is asked again: it gets the results of all calls so far. */
  answered(): void {
    this.#before = this.names().slice(0, MAX_NAMES);
    this.#calls = [];
  }

  /** These will never run. */
  denied(toolCallIds: readonly string[]): void {
    this.#calls = this.#calls.filter(({ id }) => !toolCallIds.includes(id));
  }

  /** The results of these are known. */
  ran(toolCallIds: ReadonlySet<string>): void {
    for (const call of this.#calls) if (toolCallIds.has(call.id)) call.ran = true;
  }

  /** Those that wait. */
  get waiting(): readonly ToolCall[] {
    return this.#calls.filter(({ ran }) => !ran);
  }

  /** What is said of an answer that ends here while calls wait. */
  get waitingDetails(): TurnDetails {
    const pendingToolCalls = this.waiting.map(({ id }) => id);
    return pendingToolCalls.length === 0 ? {} : { pendingToolCalls, toolCalls: this.names({ ran: true }) };
  }

  /** The names of all, in order; with `ran`, without those that wait. */
  names({ ran = false }: { ran?: boolean } = {}): string[] {
    return [
      ...this.#before,
      ...this.#calls.flatMap(call => (call.name !== undefined && (call.ran || !ran) ? [call.name] : [])),
    ];
  }
}

/** Whether a part of an answer says that a call of a tool has come to its end. */
export function isToolResult(part: unknown): boolean {
  const type = property(part, 'type');
  return type === 'tool-error' || (type === 'tool-result' && property(part, 'preliminary') !== true);
}
