// The search index after kill -9.

import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';

import { runs } from '../../test/support/runs.js';
import { Store } from '../src/store.js';
import { startCli } from './cli/support.js';

import { aMessage, recordBatch, tempDatabase } from './support.js';

const ROUNDS = runs(3, 10);

test('after kill -9 the index is whole, and each acknowledged message is found once', async () => {
  const database = tempDatabase();
  const words: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const local = await startCli(database);
    const batches = 20 + Math.random() * 20;
    for (let batch = 0; batch < batches; batch++) {
      const sent = Array.from({ length: 40 }, () => `word-${randomUUID()}`);
      await recordBatch(
        local,
        sent.map(word => aMessage({ content: `${'filler '.repeat(100)} ${word}` })),
      );
      words.push(...sent);
    }
    expect(await local.end('SIGKILL')).toBe('SIGKILL');
  }

  const store = new Store({ path: database });
  onTestFinished(() => store.close());
  while (!store.advanceSearch(1000));
  expect(store.searchLag()).toBe(0);
  for (const word of words)
    expect(store.search(word, { filter: {}, limit: 10, budgetMs: 60_000 }).hits).toHaveLength(1);
  const db = new DatabaseSync(database);
  onTestFinished(() => db.close());
  db.exec("INSERT INTO search_index (search_index) VALUES ('integrity-check')");
  expect(Object.values(db.prepare('PRAGMA integrity_check').get() ?? {})).toEqual(['ok']);
});
