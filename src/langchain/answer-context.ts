import type { InputValues } from './input-values.js';
import type { LlmCall } from './llm-call.js';
import type { Message } from './messages.js';
import type { StepOutputs } from './step-outputs.js';

export interface AnswerText {
  readonly text: string;
  readonly messageId?: string | undefined;
  /** The ids of all messages that it is made of, where they are several. */
  readonly messageIds?: readonly string[] | undefined;
  /** The call that made it, where that is known by more than its words. */
  readonly call?: LlmCall | undefined;
  /** Whether it is the JSON of a value: then a tool that the model was made to call for it is none. */
  readonly isStructured?: boolean | undefined;
}

/** What was answered: `none` where nothing was, undefined where it is not known. */
export type Answer = AnswerText | 'none' | undefined;

/** What an answer is chosen by. */
export interface AnswerContext {
  /** What stood in the root's input. */
  readonly input: InputValues | undefined;
  /** The root's output, as LangChain reports it. */
  readonly output: unknown;
  /** What the user said last in this turn. */
  readonly prompt: string | undefined;
  /** The model's calls, in the order they started. */
  readonly calls: readonly LlmCall[];
  /** Those of tools, and of steps that the app or its graph keeps to itself. */
  readonly hiddenCalls: readonly LlmCall[];
  /** The answers that LangGraph's nodes have put into the state, since a tool was called last. */
  readonly published: readonly AnswerText[];
  /** What the steps inside gave. */
  readonly steps: StepOutputs;
  /** Whether the app has named the nodes that answer, so that others don't. */
  readonly nodesNamed: boolean;
  /** Whether a step waits for a human, so that there may be no answer yet. */
  readonly interrupted: boolean;
  /** Whether the run goes on with an earlier one, so that the output may end with what that one said. */
  readonly isResumed: boolean;
  /**
   * Whether a message of the output is of this run, rather than of an earlier one.
   *
   * @param place where it stands in its list
   */
  isNew(message: Message, place?: number): boolean;
  /** Whether a message of the output stands in the place of an earlier one, whose id it has. */
  hasReplaced(message: Message): boolean;
}
