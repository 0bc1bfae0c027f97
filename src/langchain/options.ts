import * as z from 'zod/v4';
import type { Logger } from '../internal/logger.js';
import type { Identity } from '../recorder/identity.js';
import { InvalidInputError } from '../synap/errors.js';

/** What a {@link SynapCallbackHandler} takes. Everything may be left out. */
export interface SynapCallbackHandlerOptions extends Identity {
  /** The key of a chain's input that holds what the user said. */
  inputKey?: string | undefined;
  /** The key of a chain's output that holds the answer. */
  outputKey?: string | undefined;
  /**
   * Picks what the user said out of a chain's input: a string, a message, or messages. `null`: nothing was said;
   * `undefined`: go by the other rules. A plain input arrives as `{ input: value }`, as LangChain reports it.
   */
  selectInput?(input: unknown): unknown;
  /**
   * Picks the answer out of a chain's output: a string, a message, or messages. `null`: there is none; `undefined`: go
   * by the other rules. A plain output arrives as `{ output: value }`, as LangChain reports it.
   */
  selectOutput?(output: unknown): unknown;
  /** The LangGraph nodes that speak to the user. What models say in other nodes stays inside. Default: all of them. */
  assistantNodes?: readonly string[] | undefined;
  /** Runs with one of these tags, and all inside them, are not part of the conversation. */
  ignoreTags?: readonly string[] | undefined;
  /**
   * Milliseconds without any event after which a run counts as abandoned: of a stream that nobody reads to its end,
   * LangChain says no more. Default 300,000 (5 minutes).
   */
  idleMs?: number | undefined;
  /** Where notices go that are for the app's developer. Default: the console. `false` is silent. */
  logger?: Logger | false | undefined;
}

const IDLE_MS = 300_000;

// Steps that a graph or the app keeps to itself.
const INTERNAL_TAGS = ['nostream', 'langsmith:nostream', 'langsmith:hidden'];

const key = z.string().min(1).optional();
const selector = z.custom(value => typeof value === 'function', 'must be a function').optional();
const names = z.array(z.string()).optional();

const schema = z.object({
  inputKey: key,
  outputKey: key,
  selectInput: selector,
  selectOutput: selector,
  assistantNodes: names,
  ignoreTags: names,
  idleMs: z.number().positive().max(2_147_483_647).default(IDLE_MS),
});

/** The options, checked, with their defaults. */
export interface HandlerSettings {
  readonly identity: Identity;
  readonly inputKey: string | undefined;
  readonly outputKey: string | undefined;
  readonly selectInput: ((input: unknown) => unknown) | undefined;
  readonly selectOutput: ((output: unknown) => unknown) | undefined;
  readonly assistantNodes: ReadonlySet<string> | undefined;
  readonly ignoreTags: ReadonlySet<string>;
  readonly idleMs: number;
}

/** @throws {@link InvalidInputError} an option is wrong; `field` names it */
export function readHandlerOptions(options: SynapCallbackHandlerOptions): HandlerSettings {
  const parsed = schema.safeParse(options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join('.') || 'options';
    throw new InvalidInputError(`SynapCallbackHandler: ${field}: ${issue?.message ?? 'is wrong'}`, { field });
  }
  const { inputKey, outputKey, assistantNodes, ignoreTags = [], idleMs } = parsed.data;
  const { conversationId, userId, customerId, sessionId, selectInput, selectOutput } = options;
  return {
    identity: { conversationId, userId, customerId, sessionId },
    inputKey,
    outputKey,
    selectInput: selectInput?.bind(options),
    selectOutput: selectOutput?.bind(options),
    assistantNodes: assistantNodes && new Set(assistantNodes),
    ignoreTags: new Set([...INTERNAL_TAGS, ...ignoreTags]),
    idleMs,
  };
}
