import type { RecordMessageInput } from '../synap/messages.js';
import type { Resolution } from './identity.js';
import type { MessageName } from './message-key.js';
import type { TurnMemory } from './said-before.js';
import type { AssistantMessage, PromptHistory, UserMessage } from './turn-message.js';

/** What the intake knows of a turn. */
export interface TurnRecord extends Resolution, TurnMemory {
  /** The OpenTelemetry trace that it belongs to. */
  readonly traceId?: string | undefined;
  /** What its user has said, so that the same is not recorded twice. */
  readonly said: Set<string>;
  /** A digest of what its user said last, after redaction. */
  promptDigest?: string | undefined;
  /** The prompt, as far as it is known: no error of the turn may quote it. */
  readonly prompt: string[];
  history?: PromptHistory | undefined;
  /** Once the outbox has accepted some of a turn, it takes all of it; once it was full for one message, none. */
  isAdmitted: boolean;
  isRefused: boolean;
}

/** A message on its way through the intake. */
export interface Pending {
  readonly turn: TurnRecord;
  readonly message: UserMessage | AssistantMessage;
  readonly name: MessageName;
  readonly draft: RecordMessageInput;
  /** Counted as lost while it waited. It may come back. */
  isGivenUp: boolean;
}

/** What was said in a turn, as far as it is known: its prompt, and its answer so far. */
export function* textsOfTurn({ prompt, history }: TurnRecord, { content }: { readonly content: string }) {
  yield* prompt;
  yield content;
  try {
    if (history) yield* [history.prefill, ...history.earlier()];
  } catch {
    // The app's own messages may have getters that throw.
  }
}
