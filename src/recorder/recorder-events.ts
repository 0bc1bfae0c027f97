import { diagnostics } from '#diagnostics';
import type { Loss } from '../delivery/loss.js';
import type { Delivered } from '../delivery/receipts.js';
import type { OutboxEntry } from '../outbox/outbox.js';
import { Metrics, type MetricsSource } from './metrics.js';
import type { OpenTelemetryApi } from './trace-id.js';

/** Tells of what becomes of messages: by `node:diagnostics_channel`, and by OpenTelemetry's metrics. */
export class RecorderEvents {
  readonly #metrics: Metrics;

  constructor(openTelemetry: OpenTelemetryApi | false | undefined, source: MetricsSource) {
    this.#metrics = new Metrics(openTelemetry, source);
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
