import { DatabaseFileError } from '../../internal/sqlite/errors.js';
import { OutboxReader, type OutboxStatus } from '../../outbox/sqlite/inspect.js';
import { counted } from '../output.js';
import { type Check, ok, skipped, wrong } from './check.js';

const MINUTE = 60_000;
/** A message that waits for longer has not met a passing failure. */
const LONG_WAIT_MS = 10 * MINUTE;

/** Checks the file of a durable outbox: pending messages, and dead letters. */
export function checkOutbox(path: string | undefined): Check {
  if (path === undefined) return skipped('outbox', 'not checked; name the file of a durable outbox with --outbox');
  try {
    const reader = new OutboxReader(path);
    try {
      return checkStatus(path, reader.status());
    } finally {
      reader.close();
    }
  } catch (error) {
    if (!(error instanceof DatabaseFileError)) throw error;
    return wrong('outbox', error.message, 'check the path, and the permissions of the file');
  }
}

function checkStatus(
  path: string,
  { pending, inFlight, deadLetters, oldestPendingAt, delivering }: OutboxStatus,
): Check {
  const waiting = pending + inFlight;
  const minutes = oldestPendingAt === undefined ? 0 : Math.round((Date.now() - oldestPendingAt) / MINUTE);
  const finding = `${path}: ${waiting} waiting, ${counted(deadLetters, 'dead letter')}`;
  if (deadLetters > 0)
    return wrong(
      'outbox',
      finding,
      `see why: synap-recorder outbox list ${path}; send them again: synap-recorder outbox replay ${path}`,
    );
  if (waiting === 0 || minutes * MINUTE < LONG_WAIT_MS) return ok('outbox', finding);
  const long = `${finding}, the oldest for ${minutes} minutes`;
  if (!delivering)
    return wrong(
      'outbox',
      `${long}, and no process sends them`,
      `start the app, or synap-recorder outbox replay ${path}`,
    );
  return wrong('outbox', long, 'read the log of the app that sends them: it says why they wait');
}
