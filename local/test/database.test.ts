// The database file: foreign, damaged, locked, shared, private.

import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startLocalSynap } from '../src/index.js';
import { aMessage, readConversation, record, recordBatch, start, tempDatabase, tempFolder } from './support.js';

/** A database with some conversations in it, closed. */
async function filled(): Promise<string> {
  const database = tempDatabase();
  const local = await startLocalSynap({ database });
  await recordBatch(
    local,
    Array.from({ length: 200 }, (_, index) => aMessage({ content: `message ${index} `.repeat(20) })),
  );
  await local.close();
  return database;
}

function exec(database: string, sql: string): void {
  const db = new DatabaseSync(database);
  db.exec(sql);
  db.close();
}

async function expectRefusal(database: string, message: RegExp): Promise<void> {
  const before = readFileSync(database);
  const error = await startLocalSynap({ database }).then(
    local => local.close().then(() => undefined),
    (error: unknown) => error,
  );
  expect(error).toMatchObject({ name: 'LocalSynapError', message: expect.stringMatching(message) });
  expect((error as Error).message).toContain(database);
  expect((error as Error).message).not.toContain('\n');
  expect(readFileSync(database).equals(before)).toBe(true);
}

test('a database of a newer version is refused with advice, and left as it is', async () => {
  const database = await filled();
  exec(database, 'PRAGMA user_version = 99');
  await expectRefusal(database, /newer synap-recorder .*update synap-recorder/);
});

test('a database of a newer version that is not in WAL mode is left as it is', async () => {
  const database = await filled();
  exec(database, 'PRAGMA user_version = 99; PRAGMA journal_mode = DELETE');
  await expectRefusal(database, /newer/);
});

test('a database of another program is refused, and gets no tables of ours', async () => {
  const database = tempDatabase();
  exec(database, "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')");
  await expectRefusal(database, /another program: choose another file/);
});

test.each([
  ['text', Buffer.from('Dear diary,\n'.repeat(1000))],
  ['chance', randomBytes(50_000)],
  ['one byte', Buffer.from('x')],
])('a file of %s is refused, and left as it is', async (_what, bytes) => {
  const database = tempDatabase();
  writeFileSync(database, bytes);
  await expectRefusal(database, /not a SQLite database: choose another file/);
});

test('a database with garbage in its middle is refused, and left as it is', async () => {
  const database = await filled();
  const bytes = readFileSync(database);
  randomBytes(8192).copy(bytes, 8192);
  writeFileSync(database, bytes);
  await expectRefusal(database, /damaged: put a backup in its place/);
});

test('a database that was cut short is refused, and left as it is', async () => {
  const database = await filled();
  truncateSync(database, 20_000);
  await expectRefusal(database, /damaged/);
});

test('a file of nothing is a new database', async () => {
  const database = tempDatabase();
  writeFileSync(database, '');
  expect((await record(await start({ database }), aMessage())).status).toBe(200);
});

test('transcripts are readable by their owner only, the write-ahead log included', async () => {
  const database = tempDatabase();
  const local = await start({ database });
  await record(local, aMessage());
  for (const file of [database, `${database}-wal`, `${database}-shm`])
    expect(statSync(file).mode & 0o777, file).toBe(0o600);
});

test('a folder that is not there is named', async () => {
  const database = join(tempFolder(), 'missing', 'synap.db');
  await expect(startLocalSynap({ database })).rejects.toThrow(/synap\.db can't be made: its folder does not exist/);
});

test('a folder is no database', async () => {
  const database = join(tempFolder(), 'folder');
  mkdirSync(database);
  await expect(startLocalSynap({ database })).rejects.toThrow(/is not a file/);
});

test.skipIf(process.getuid?.() === 0)('a file without permission is named', async () => {
  const database = await filled();
  chmodSync(database, 0);
  await expect(startLocalSynap({ database })).rejects.toThrow(/check the permissions/);
});

test('what is acknowledged is in the file, and after closing in nothing but the file', async () => {
  const database = tempDatabase();
  const local = await start({ database });
  const message = aMessage();
  await record(local, message);
  const reader = new DatabaseSync(database, { readOnly: true });
  expect(reader.prepare('SELECT count(*) AS n FROM messages').get()?.n).toBe(1);
  expect(Object.values(reader.prepare('PRAGMA journal_mode').get() ?? {})).toEqual(['wal']);
  reader.close();
  await local.close();
  expect(() => statSync(`${database}-wal`)).toThrow();
  expect((await readConversation(await start({ database }), message.conversation_id)).body.messages).toHaveLength(1);
});

test('the key that was made up stays the same over restarts', async () => {
  const database = tempDatabase();
  const first = await start({ database });
  await first.close();
  const second = await start({ database });
  expect(second.apiKey).toBe(first.apiKey);
  expect(second.apiKey).toMatch(/^synap_local_[0-9a-f]{32}$/);
  expect((await start({ database: tempDatabase() })).apiKey).not.toBe(second.apiKey);
});

test('without a file nothing is kept', async () => {
  const first = await start();
  const message = aMessage();
  await record(first, message);
  expect(first.database).toBe(':memory:');
  expect((await readConversation(await start(), message.conversation_id)).status).toBe(404);
});

test('two servers on one file see each other, and share their keys', async () => {
  const database = tempDatabase();
  const [one, two] = [await start({ database }), await start({ database })];
  const message = aMessage({ metadata: { message_key: 'k' } });
  const first = await record(one, message);
  expect((await record(two, message)).body).toEqual(first.body);
  await record(two, { ...message, metadata: {} });
  await two.close();
  expect((await readConversation(one, message.conversation_id)).body.messages).toHaveLength(2);
});

/** From now on SQLite waits for a lock as long as this, whatever is configured. */
function waitForLocks(ms: number): void {
  const { exec } = DatabaseSync.prototype;
  vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql) {
    return exec.call(this, sql.replace(/(PRAGMA busy_timeout = )\d+/, `$1${ms}`));
  });
  onTestFinished(() => void vi.restoreAllMocks());
}

test('a file that somebody keeps locked is a 503 to try again, and nothing is lost', async () => {
  waitForLocks(100);
  const database = tempDatabase();
  const local = await start({ database });
  const other = new DatabaseSync(database);
  other.exec('BEGIN IMMEDIATE');
  const message = aMessage();
  const { status, headers } = await record(local, message);
  expect(status).toBe(503);
  expect(headers.get('retry-after')).toBe('1');
  other.exec('ROLLBACK');
  other.close();
  expect((await record(local, message)).status).toBe(200);
});

test.runIf(process.getuid)(
  'a database that others can read is warned of, and one behind a broken link is refused',
  async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    const database = await filled();
    chmodSync(database, 0o644);
    const local = await startLocalSynap({ database });
    await local.close();
    expect(warn.mock.calls.flat()).toEqual([
      expect.stringMatching(
        /^synap-recorder-local: .* can be read or written by other users \(mode 0644\): run chmod 600/,
      ),
    ]);
    const link = `${database}.link`;
    symlinkSync(`${database}.not`, link);
    await expect(startLocalSynap({ database: link })).rejects.toThrow(/symbolic link to a file that does not exist/);
  },
);
