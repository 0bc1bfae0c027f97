// A full disk: said as what it is, with nothing half stored, and over once there is room.

import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import { isFull } from '../src/database.js';
import { aMessage, call, readConversation, record, recordBatch, start, tempDatabase } from './support.js';

/** A local Synap whose file can't grow, and a function that lets it. SQLite says of it what it says of a full disk. */
async function onFullDisk() {
  const opened: DatabaseSync[] = [];
  const exec = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql) {
    opened.push(this);
    exec.mockRestore();
    this.exec(sql);
  });
  const database = tempDatabase();
  const local = await start({ database });
  const connection = opened[0];
  if (connection === undefined) throw new Error('no database was opened');
  const pages = connection.prepare('PRAGMA page_count').get()?.page_count as number;
  connection.exec(`PRAGMA max_page_count = ${pages}`);
  return { local, makeRoom: () => connection.exec('PRAGMA max_page_count = 1000000') };
}

const large = () => aMessage({ content: 'x'.repeat(100_000) });

test('a full disk is 507, with what to do, for a message, a batch and a transcript', async () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const { local, makeRoom } = await onFullDisk();
  const message = large();
  const transcript = { conversation_id: 'call', user_id: 'ada', transcript: message.content };
  const answers = [
    await record(local, message),
    await recordBatch(local, [aMessage(), message]),
    await call(local, 'POST', '/v1/conversations/ingest', transcript),
  ];
  const lines = stderr.mock.calls.map(([line]) => String(line));
  vi.restoreAllMocks();
  for (const { status, body } of answers) {
    expect(status).toBe(507);
    expect(body.detail).toMatch(
      /^The disk is full, so the request changed nothing: make room .+ send the request again$/,
    );
  }
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    expect(line).toMatch(/^synap-recorder-local: POST \S+ failed: the disk is full .*; make room/);
    expect(line).not.toContain('xxx');
  }
  expect((await call(local, 'GET', '/v1/conversations')).body.conversations).toEqual([]);

  makeRoom();
  expect((await record(local, message)).status).toBe(200);
  expect((await call(local, 'POST', '/v1/conversations/ingest', transcript)).body.status).toBe('queued');
  expect((await readConversation(local, message.conversation_id)).body.messages).toHaveLength(1);
});

test('a quota, or a limit on the size of files, is a full disk: SQLite calls it an I/O error', () => {
  const error = (errcode: number) => Object.assign(new Error('disk I/O error'), { errcode });
  expect(isFull(error(778))).toBe(true); // SQLITE_IOERR_WRITE
  expect(isFull(error(266))).toBe(false); // SQLITE_IOERR_READ
});
