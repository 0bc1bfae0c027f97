import type { MessageFilter, MessageLog } from './message-log.js';
import { messageToWire } from './wire.js';

/** How long other requests wait at most, in milliseconds, and how many characters are sent at once. */
const TURN_MS = 10;
const CHUNK_CHARACTERS = 64 * 1024;

/**
 * What is stored, as JSON Lines, for `GET /v1/export`: one message a line, one conversation after the other. It is read
 * as fast as it is sent, so its memory does not grow with what is stored, and other requests have their turn in between,
 * even where nothing is found for long.
 */
export function exportLines(log: MessageLog, filter: MessageFilter): ReadableStream<Uint8Array> {
  const pieces = log.transcripts(filter);
  const encoder = new TextEncoder();
  let isWanted = true;
  return new ReadableStream({
    async pull(controller) {
      for (let chunk = ''; chunk === ''; ) {
        await new Promise(resolve => setImmediate(resolve));
        for (const end = performance.now() + TURN_MS; chunk.length < CHUNK_CHARACTERS && performance.now() < end; ) {
          if (!isWanted) return;
          const { done, value } = pieces.next();
          if (done) {
            controller.enqueue(encoder.encode(chunk));
            return controller.close();
          }
          for (const message of value) chunk += `${JSON.stringify(messageToWire(message))}\n`;
        }
        if (chunk !== '') controller.enqueue(encoder.encode(chunk));
      }
    },
    cancel() {
      isWanted = false;
    },
  });
}
