import type { MessageFilter, MessageLog } from './message-log.js';
import { messageToWire } from './wire.js';

/**
 * What is stored, as JSON Lines, for `GET /v1/export`: one message a line, one conversation after the other. It is read
 * as fast as it is sent, so its memory does not grow with what is stored.
 */
export function exportLines(log: MessageLog, filter: MessageFilter): ReadableStream<Uint8Array> {
  const pieces = log.transcripts(filter);
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = pieces.next();
      if (done) return controller.close();
      controller.enqueue(encoder.encode(value.map(message => `${JSON.stringify(messageToWire(message))}\n`).join('')));
    },
  });
}
