// Files of version 1 are brought up to the current version.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { SCHEMA_VERSION } from '../src/schema.js';
import { Store } from '../src/store.js';
import { MAIN } from './cli/support.js';
import { aMessage, readAll, readConversation, record, start, tempDatabase } from './support.js';
import { type OldMessage, versionOne } from './version-1.js';

const OLD: OldMessage[] = [
  { conversation: 0, role: 'user', content: 'Why is the sky blue?', metadata: { turn_id: 'a' } },
  { conversation: 0, role: 'user', content: 'And the sea?', metadata: { turn_id: 'a' } },
  {
    conversation: 0,
    role: 'assistant',
    content: 'Air scatters light.',
    metadata: { turn_id: 'a', model: 'gpt-5', status: 'complete' },
  },
  { conversation: 1, role: 'user', content: 'no metadata', user: 'grace', customer: 'navy' },
  { conversation: 0, role: 'user', content: 'again', user: 'grace', metadata: { turn_id: 'b' } },
  { conversation: 0, role: 'assistant', content: 'half', metadata: { model: 'claude-x', status: 'aborted' } },
];

function open(database: string): Store {
  const store = new Store({ path: database });
  onTestFinished(() => store.close());
  return store;
}

const shapeOf = (database: string) => {
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    const names = db
      .prepare("SELECT type, name, tbl_name FROM sqlite_schema WHERE type <> 'trigger' ORDER BY name")
      .all();
    const columns = ['conversations', 'messages', 'facets', 'conversation_facets'].map(table =>
      db.prepare(`SELECT name, type, "notnull", dflt_value FROM pragma_table_info('${table}')`).all(),
    );
    return { names, columns, version: db.prepare('PRAGMA user_version').get()?.user_version };
  } finally {
    db.close();
  }
};

test('a file of version 1 comes to have the tables of a new one', () => {
  const { database } = versionOne(OLD);
  const fresh = tempDatabase();
  for (const path of [database, fresh]) new Store({ path }).close();
  expect(shapeOf(database)).toEqual(shapeOf(fresh));
  expect(shapeOf(database).version).toBe(SCHEMA_VERSION);
});

test('what version 1 had recorded is counted, can be filtered by, and is found', () => {
  const { database, ids } = versionOne(OLD);
  const store = open(database);
  expect(store.listings({ limit: 10 }).items).toMatchObject([
    {
      conversationId: ids[0],
      turnCount: 2,
      messageCount: 5,
      users: ['ada', 'grace'],
      models: ['gpt-5', 'claude-x'],
      statuses: ['complete', 'aborted'],
    },
    { conversationId: ids[1], turnCount: 1, users: ['grace'], models: [], statuses: [] },
  ]);
  expect(store.listings({ limit: 10 }, { user: 'grace', status: 'aborted' }).items).toHaveLength(1);
  expect(store.searchLag()).toBe(OLD.length);
  expect(store.advanceSearch(10_000)).toBe(true);
  expect(store.search('SCATTERS', { filter: {}, limit: 10, budgetMs: 10_000 }).hits).toMatchObject([
    { conversation: { conversationId: ids[0] }, content: 'Air scatters light.' },
  ]);
});

test('the server reads and goes on with a file of version 1, under the key it had', async () => {
  const { database, ids } = versionOne(OLD);
  const local = await start({ database });
  expect(local.apiKey).toBe('synap_local_of_version_1');
  await record(local, aMessage({ conversation_id: ids[0], content: 'new', metadata: { turn_id: 'c' } }));
  const { messages } = (await readConversation(local, ids[0] ?? '')).body;
  expect(messages.map((message: { content: string }) => message.content)).toEqual([
    ...OLD.filter(message => message.conversation === 0).map(message => message.content),
    'new',
  ]);
  expect(open(database).listing(ids[0] ?? '')?.turnCount).toBe(3);
});

test('a file that was brought up once is not written to when it is opened again', () => {
  const { database } = versionOne(OLD);
  new Store({ path: database }).close();
  const before = shapeOf(database);
  const version = () => {
    const db = new DatabaseSync(database, { readOnly: true });
    onTestFinished(() => db.close());
    return db.prepare('SELECT total(message_count) AS n FROM conversations').get();
  };
  const counts = version();
  new Store({ path: database }).close();
  expect(shapeOf(database)).toEqual(before);
  expect(version()).toEqual(counts);
});

test('kill -9 in the middle of it leaves the old file or the new one, and nothing is lost', async () => {
  const many = Array.from(
    { length: 20_000 },
    (_, index): OldMessage => ({
      conversation: index % 500,
      role: index % 1000 < 500 ? 'user' : 'assistant',
      content: `message ${index}`,
      metadata: { turn_id: `${index >> 1}`, model: `model-${index % 7}`, status: 'complete' },
    }),
  );
  const { database } = versionOne(many);
  const versions = new Set<unknown>();
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0', '--database', database], { stdio: 'ignore' });
    await new Promise(resolve => setTimeout(resolve, 60 + round * 40));
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    versions.add(shapeOf(database).version);
  }
  for (const version of versions) expect([1, 2]).toContain(version);
  const local = await start({ database });
  const conversations = await readAll(local, '/v1/conversations', 'conversations', 500);
  expect(conversations).toHaveLength(500);
  expect(conversations.reduce((sum, item) => sum + Number(item.message_count), 0)).toBe(many.length);
  const store = open(database);
  expect(store.listings({ limit: 500 }, { model: 'model-3' }).items.length).toBeGreaterThan(0);
  expect(store.listings({ limit: 500 }).items.reduce((sum, item) => sum + item.turnCount, 0)).toBe(many.length / 2);
});
