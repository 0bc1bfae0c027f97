import type { Role } from '../synap/messages.js';
import type { TurnStatus } from './metadata.js';
import type { Turn } from './turn.js';
import type { TurnOutcome } from './turn-options.js';

/** A message as a turn hands it to the recorder. */
export interface TurnMessage {
  readonly turn: Turn;
  readonly role: Role;
  readonly content: string;
  /** How many characters followed the content and were not kept, because no message is as long. */
  readonly missing: number;
  readonly key: string;
  /** How the turn ended; undefined for a user's message. */
  readonly status: TurnStatus | undefined;
  /** What the message says about itself. */
  readonly metadata: Record<string, unknown>;
  /** The app's tags, as they were handed over: those of the message before those of the turn. */
  readonly tags: readonly unknown[];
}

/** A text, and how many characters followed it that were not kept. */
export type Words = Pick<TurnMessage, 'content' | 'missing'>;

/** What a turn needs of its recorder. */
export interface TurnHost {
  record(message: TurnMessage): void;
  opened(turn: Turn): void;
  settled(turn: Turn): Promise<TurnOutcome>;
  ended(turn: Turn): void;
  /** Whether a user said this in the turn's conversation since its last whole answer, as far as the recorder knows. */
  isUnanswered(turn: Turn, content: string): boolean;
  unreadable(turn: Turn, role: Role, error: unknown): void;
  /** Says something once to the app's developer. */
  notice(topic: string, message: string): void;
  /** What no text of an error may hold: the API key. */
  readonly secrets: readonly (string | undefined)[];
}
