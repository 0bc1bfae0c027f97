import type { RecordMessageInput } from '../synap/messages.js';
import type { Resolution } from './identity.js';
import type { MessageName } from './message-key.js';
import type { TurnMemory } from './said-before.js';
import type { AssistantMessage, UserMessage } from './turn-message.js';

/** What the intake knows of a turn. */
export interface TurnRecord extends Resolution, TurnMemory {
  /** The OpenTelemetry trace that it belongs to. */
  readonly traceId?: string | undefined;
  /** What its user has said, so that the same is not recorded twice. */
  readonly said: Set<string>;
  /** A digest of what its user said last, after redaction. */
  promptDigest?: string | undefined;
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
