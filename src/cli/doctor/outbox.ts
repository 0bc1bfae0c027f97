import { DatabaseFileError } from '../../internal/sqlite/errors.js';
import { OutboxReader, type OutboxStatus } from '../../outbox/sqlite/inspect.js';
import { type Check, ok, skipped, wrong } from './check.js';

const MINUTE = 60_000;
/** A message that waits for longer has met more than a passing trouble. */
const LONG_WAIT_MS = 10 * MINUTE;

/** Looks at the file of a durable outbox: what waits in it, and what Synap would not take. */
export function checkOutbox(path: string | undefined): Check {
  if (path === undefined) return skipped('outbox', 'in memory; name the file of a durable one with --outbox');
  try {
    const reader = new OutboxReader(path);
    try {
      return judge(path, reader.status());
    } finally {
      reader.close();
    }
  } catch (error) {
    if (!(error instanceof DatabaseFileError)) throw error;
    return wrong('outbox', error.message, 'check the path, and who may read and write it');
  }
}

function judge(path: string, { pending, inFlight, deadLetters, oldestPendingAt, carried }: OutboxStatus): Check {
  const waiting = pending + inFlight;
  const minutes = oldestPendingAt === undefined ? 0 : Math.round((Date.now() - oldestPendingAt) / MINUTE);
  const finding = `${path}: ${waiting} waiting, ${deadLetters} dead letters`;
  if (deadLetters > 0)
    return wrong('outbox', finding, `synap-recorder outbox list ${path} says why; outbox replay sends them again`);
  if (waiting === 0 || minutes * MINUTE < LONG_WAIT_MS) return ok('outbox', finding);
  const long = `${finding}, the oldest for ${minutes} minutes`;
  if (!carried)
    return wrong(
      'outbox',
      `${long}, and no process sends them`,
      `start the app, or synap-recorder outbox replay ${path}`,
    );
  return wrong('outbox', long, 'look into the log of the app that sends them: it says what holds them up');
}
