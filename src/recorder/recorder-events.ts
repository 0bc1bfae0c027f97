import { diagnostics } from '#diagnostics';
import type { Loss } from '../delivery/loss.js';
import type { Delivered } from '../delivery/receipts.js';
import type { Relay } from '../delivery/relay.js';
import type { OutboxEntry } from '../outbox/outbox.js';
import { Metrics, type MetricsSource } from './metrics.js';
import type { OpenTelemetryApi } from './trace-id.js';

/** Tells of what becomes of messages: by `node:diagnostics_channel`, and by OpenTelemetry's metrics. */
export class RecorderEvents implements MetricsSource {
  readonly #metrics: Metrics;
  readonly #relay: Pick<Relay, 'stats' | 'oldestAgeMs'>;

  constructor(openTelemetry: OpenTelemetryApi | false | undefined, relay: Pick<Relay, 'stats' | 'oldestAgeMs'>) {
    this.#relay = relay;
    this.#metrics = new Metrics(openTelemetry, this);
  }

  backlog(): number {
    const { pending, held, inFlight } = this.#relay.stats();
    return pending + held + inFlight;
  }

  oldestAgeMs(): number | undefined {
    return this.#relay.oldestAgeMs();
  }

  accepted({ key, bytes, message: { conversationId, role } }: OutboxEntry): void {
    this.#metrics.accepted();
    diagnostics.publish('accepted', { messageKey: key, conversationId, role, bytes });
  }

  delivered({ messageKey, messageId, conversationId, role }: Delivered): void {
    this.#metrics.delivered();
    diagnostics.publish('delivered', { messageKey, messageId, conversationId, role });
  }

  lost({ reason, messageKey, conversationId, role }: Loss): void {
    this.#metrics.lost(reason);
    diagnostics.publish('lost', { reason, messageKey, conversationId, role });
  }

  close(): void {
    this.#metrics.close();
  }
}
