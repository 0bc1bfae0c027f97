/** One event of a stream that a browser's EventSource reads. */
export interface ServerEvent {
  event: string;
  /** Where the stream goes on when it is resumed. */
  id: number;
  data: string;
}

const SECOND = 1000;
const HEARTBEAT_MS = 15 * SECOND;
const RETRY_MS = SECOND;

/**
 * The body of a `text/event-stream`, made as fast as it is read. A comment now and then shows that the
 * connection is alive. The signal of `events` aborts when nobody reads any more.
 */
export function serverEvents(events: (signal: AbortSignal) => AsyncGenerator<ServerEvent>): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  const iterator = events(gone.signal);
  const encoder = new TextEncoder();
  let heartbeat: NodeJS.Timeout | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`));
    },
    async pull(controller) {
      // Not before somebody reads: of an answer to HEAD nobody does.
      heartbeat ??= setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(':\n\n'));
      }, HEARTBEAT_MS).unref();
      const { done, value } = await iterator.next();
      if (!done) return controller.enqueue(encoder.encode(toText(value)));
      clearInterval(heartbeat);
      if (!gone.signal.aborted) controller.close();
    },
    cancel() {
      clearInterval(heartbeat);
      gone.abort();
    },
  });
}

function toText({ event, id, data }: ServerEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map(line => `data: ${line}\n`);
  return `event: ${event}\nid: ${id}\n${lines.join('')}\n`;
}
