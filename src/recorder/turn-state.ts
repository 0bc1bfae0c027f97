/** Is called when a turn is open and when it has ended. One that was abandoned may do both again. */
export interface ObserverOf<Turn> {
  opened(turn: Turn): void;
  ended(turn: Turn): void;
}

/** Where a turn stands: what is recorded, and who looks after it. */
export interface PlaceOf<Turn> {
  /** The transcript's UUID; undefined when the identity does not allow recording. Then nobody looks after the turn. */
  readonly conversationId: string | undefined;
  readonly observer?: ObserverOf<Turn> | undefined;
}

/** Where a turn can be, and what may follow. */
export interface Moves {
  open: 'complete' | 'error' | 'aborted' | 'abandoned';
  /** The ends only as long as there was no text. */
  abandoned: 'open' | 'complete' | 'error' | 'aborted';
  complete: never;
  error: never;
  /** Only where its adapter ended it before its readers did. */
  aborted: 'open';
}

/** `open`, or how the turn ended. */
export type TurnState = keyof Moves;
