import type { Feed } from './feed.js';
import type { MessageFilter, MessageLog } from './message-log.js';
import type { ServerEvent } from './server-events.js';
import { messageToWire } from './wire.js';

/**
 * The messages of a store as they come in, for `GET /v1/events`. An event's id is the message's `seq`, so that a reader
 * who was cut off goes on where it stopped.
 *
 * - `position`: the stream has come so far. It comes first, so that a reader who was cut off before the first message can
 *   go on, too; `data` is `{"seq": …}`.
 * - `message`: `data` is the message as `GET /v1/conversations/{id}/messages` answers it.
 *
 * Without `after` it begins with what comes next. One that lies behind the end is of another database: of this one,
 * everything is news.
 */
export async function* messageEvents(
  log: MessageLog,
  feed: Feed,
  { after, ...filter }: MessageFilter & { after?: number | undefined },
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  const newest = () => feed.shared('end', () => log.end());
  const kind = JSON.stringify(filter);
  const end = log.end();
  let position = after === undefined ? end : after > end ? 0 : after;
  yield { event: 'position', id: position, data: JSON.stringify({ seq: position }) };
  for (;;) {
    const { events, through } = feed.shared(`${position} ${kind}`, () => eventsBehind(log, position, filter));
    for (const event of events) {
      if (signal.aborted) return;
      yield event;
    }
    position = through;
    // A look is bounded, and the next one may find more; between the two others have their turn.
    if (position < newest()) await new Promise(setImmediate);
    else if ((await feed.newerThan(position, signal)) === undefined) return;
    if (signal.aborted) return;
  }
}

function eventsBehind(log: MessageLog, position: number, filter: MessageFilter) {
  const { messages, through } = log.behind(position, filter);
  const events = messages.map(
    (message): ServerEvent => ({ event: 'message', id: message.seq, data: JSON.stringify(messageToWire(message)) }),
  );
  return { events, through };
}
