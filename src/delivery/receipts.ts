import { BoundedMap } from '../internal/bounded-map.js';
import { safely } from '../internal/guards.js';
import type { OutboxEntry } from '../outbox/outbox.js';
import type { Role } from '../synap/messages.js';

const MAX_IDS = 10_000;

/** A message that Synap has. */
export interface Delivered {
  /** The `message_key` of its metadata. */
  readonly messageKey: string;
  /** The id that Synap gave it; undefined where Synap took it, and its answer could not be read. */
  readonly messageId: string | undefined;
  readonly conversationId: string;
  readonly role: Role;
}

interface Sent {
  readonly metadata?: Record<string, unknown> | undefined;
}

/** The calls of a client that record, as far as their answers are read here. */
interface RecordingClient {
  readonly conversation: {
    recordMessage(message: never, options?: never): Promise<unknown>;
    recordMessagesBatch(messages: never, options?: never): Promise<unknown>;
  };
}

/**
 * Keeps the ids that Synap answers with, from its answer until the outbox has taken note of it; then the message is reported.
 * It is reported once, by the process that delivers it.
 */
export class Receipts {
  readonly #report: (delivered: Delivered) => void;
  // Of those that are not settled yet; a lost lease leaves some behind.
  readonly #ids = new BoundedMap<unknown>(MAX_IDS);

  /** @param report never throws */
  constructor(report: (delivered: Delivered) => void) {
    this.#report = report;
  }

  /** A client that answers as `client` does, and whose receipts are kept. */
  watch<C extends RecordingClient>(client: C): C {
    const { conversation } = client;
    const watched: RecordingClient['conversation'] = {
      recordMessage: async (message, options) => {
        const receipt = await conversation.recordMessage(message, options);
        safely(() => this.#keep(message, receipt));
        return receipt;
      },
      recordMessagesBatch: async (messages: readonly Sent[], options) => {
        const answer = await conversation.recordMessagesBatch(messages as never, options);
        safely(() => {
          const { results } = answer as { results: readonly unknown[] };
          for (const [index, message] of messages.entries()) this.#keep(message, results[index]);
        });
        return answer;
      },
    };
    return { conversation: watched } as RecordingClient as C;
  }

  /** The outbox has taken note that it is delivered. */
  delivered({ key, message: { conversationId, role } }: Pick<OutboxEntry, 'key' | 'message'>): void {
    const id = this.#ids.get(key);
    this.#ids.delete(key);
    this.#report({ messageKey: key, messageId: typeof id === 'string' ? id : undefined, conversationId, role });
  }

  #keep({ metadata }: Sent, receipt: unknown): void {
    const { messageId } = receipt as { messageId?: unknown };
    if (metadata?.message_key !== undefined && messageId !== undefined)
      this.#ids.set(String(metadata.message_key), messageId);
  }
}
