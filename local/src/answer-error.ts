import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { isBusy, isFull, sqliteCode } from './database.js';

const DISK_FULL =
  'The disk is full, so the request changed nothing: make room where the database of this local Synap is, and send the request again';

/** What a request is answered with when it failed. */
export function answerError(error: Error, c: Context): Response {
  if (error instanceof HTTPException) {
    // The rest of a body that is too large is not waited for.
    if (error.status === 413) c.header('Connection', 'close');
    return c.json({ detail: error.message }, error.status);
  }
  if (isBusy(error)) {
    c.header('Retry-After', '1');
    return c.json({ detail: 'The database is busy: another program is writing to it. Send the request again' }, 503);
  }
  if (!c.req.raw.signal.aborted) logFailure(error, c);
  if (isFull(error)) return c.json({ detail: DISK_FULL }, 507);
  return c.json({ detail: 'Internal Server Error' }, 500);
}

/** An error's own message may quote what was sent, so only its kind and its place are logged. */
function logFailure(error: Error, c: Context): void {
  const code = sqliteCode(error);
  const kind = isFull(error) ? 'the disk is full' : code === 0 ? error.name : `SQLite error ${code}`;
  const place = /\n\s+(at .+)/.exec(error.stack ?? '')?.[1] ?? '';
  const next = isFull(error)
    ? 'make room where the database is'
    : code === 0
      ? 'this is a bug: please report this line'
      : 'check the disk and the database file';
  process.stderr.write(`synap-recorder-local: ${c.req.method} ${c.req.path} failed: ${kind} ${place}; ${next}\n`);
}
