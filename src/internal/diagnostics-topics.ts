/** A message that was accepted into the outbox. No event holds a text or a key of the API. */
export interface AcceptedEvent {
  readonly messageKey: string;
  readonly conversationId: string;
  readonly role: 'user' | 'assistant';
  /** Of the message as JSON. */
  readonly bytes: number;
}

/** A message that Synap has. */
export interface DeliveredEvent {
  readonly messageKey: string;
  /** The id that Synap gave it, where its answer could be read. */
  readonly messageId: string | undefined;
  readonly conversationId: string;
  readonly role: 'user' | 'assistant';
}

/** A message that will never arrive. */
export interface LostEvent {
  /** One of `LossReason`. */
  readonly reason: string;
  readonly messageKey: string | undefined;
  readonly conversationId: string | undefined;
  readonly role: 'user' | 'assistant' | undefined;
}

/** A request to Synap that has ended. */
export interface RequestEvent {
  readonly method: string;
  /** Behind the address, without a query. */
  readonly path: string;
  /** How many messages it held. */
  readonly messages: number;
  /** Undefined where no answer came. */
  readonly status: number | undefined;
  /** The code of the error, where no answer came. */
  readonly error: string | undefined;
  readonly durationMs: number;
  /** Sent as `X-Correlation-ID`. */
  readonly correlationId: string;
}

interface Events {
  readonly accepted: AcceptedEvent;
  readonly delivered: DeliveredEvent;
  readonly lost: LostEvent;
  readonly request: RequestEvent;
}

export type Topic = keyof Events;

/**
 * What `#diagnostics` exports: channels `synap-recorder:<topic>` of `node:diagnostics_channel`, or nothing where there is no
 * Node.js (`diagnostics.edge.ts`). The `imports` of package.json choose.
 */
export interface Diagnostics {
  isHeard(topic: Topic): boolean;
  /** Never throws. */
  publish<T extends Topic>(topic: T, message: Events[T]): void;
}
