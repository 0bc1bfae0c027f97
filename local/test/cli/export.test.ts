// `synap-recorder-local export`: JSON Lines and Markdown, from a server and from a file.

import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { conversationUuid } from 'synap-recorder';
import { expect, test } from 'vitest';
import { Store } from '../../src/store.js';
import { aMessage, type Json, recordBatch, start, tempDatabase, tempFolder } from '../support.js';
import { fill } from './export-support.js';
import { envOf, runCli, spawnCli } from './support.js';

const one = conversationUuid('one', { userId: 'ada' });
const two = conversationUuid('two', { userId: 'bob' });

async function aStore(database?: string) {
  const synap = await start({ database });
  const { body } = await recordBatch(synap, [
    aMessage({
      conversation_id: one,
      content: 'Show *me* code',
      metadata: { message_key: 'a', external_conversation_id: 'one' },
    }),
    aMessage({ conversation_id: two, content: 'Hello', user_id: 'bob_b' }),
    aMessage({
      conversation_id: one,
      role: 'assistant',
      content: '```ts\nconst a = 1;',
      metadata: { status: 'aborted', model: 'gpt_5' },
    }),
  ]);
  return { synap, times: body.results.map((result: Json) => result.recorded_at) as string[] };
}

const linesOf = (stdout: string): Json[] =>
  stdout === ''
    ? []
    : stdout
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line));
const contents = (stdout: string) => linesOf(stdout).map(({ content }) => content);

test('an export is the same from the server and from its file, which it leaves alone', async () => {
  const database = tempDatabase();
  const { synap } = await aStore(database);
  const served = await runCli(['export'], { env: envOf(synap) });
  expect(served).toMatchObject({ code: 0, stderr: '' });
  expect(linesOf(served.stdout)[0]).toMatchObject({ conversation_id: one, metadata: { message_key: 'a' } });
  expect((await runCli(['export', '--database', database])).stdout).toBe(served.stdout);
  await synap.close();
  expect((await runCli(['export', '--database', database])).stdout).toBe(served.stdout);
  const files = readdirSync(dirname(database)).filter(file => !/-(wal|shm)$/.test(file));
  expect(files).toEqual([basename(database)]);
});

test('conversations, users and times narrow it down', async () => {
  const { synap } = await aStore();
  const env = envOf(synap);
  const only = async (...args: string[]) => contents((await runCli(['export', ...args], { env })).stdout);
  expect(await only('one', '--user', 'ada')).toHaveLength(2);
  expect(await only(one, two)).toHaveLength(3);
  expect(await only('--conversation', two)).toEqual(['Hello']);
  expect(await only('--user', 'bob_b')).toEqual(['Hello']);
  expect(await only('--since', '1h')).toHaveLength(3);
  expect(await only('--since', '2100-01-01')).toEqual([]);
});

test('Markdown has a heading a conversation, and no code block swallows what follows', async () => {
  const { synap, times } = await aStore();
  const { code, stdout } = await runCli(['export', '--format', 'markdown'], { env: envOf(synap) });
  expect(code).toBe(0);
  expect(stdout.replaceAll(/customer\\_[0-9a-f-]+/g, 'acme')).toBe(`## one

- Conversation: \`${one}\`
- User: ada
- Customer: acme

### User

*${times[0]}*

Show *me* code

### Assistant

*${times[2]} · gpt\\_5 · aborted*

\`\`\`ts
const a = 1;
\`\`\`

---

## ${two}

- Conversation: \`${two}\`
- User: bob\\_b
- Customer: acme

### User

*${times[1]}*

Hello

`);
});

test('a file of another program, and one that is no database, are one line each', async () => {
  const file = join(tempFolder(), 'diary');
  writeFileSync(file, 'Dear diary');
  const { code, stderr } = await runCli(['export', '--database', file]);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `error: ${file} is not a SQLite database: choose another file\n`,
  });
});

test('a reader that has seen enough ends it quietly', async () => {
  const database = tempDatabase();
  fill(database, 20_000);
  const child = spawnCli(['export', '--database', database]);
  child.stdout?.once('data', () => child.stdout?.destroy());
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
});

test('no export has a control character that a terminal would obey', async () => {
  const database = tempDatabase();
  const store = new Store({ path: database });
  const content = 'a\u001b]0;title\u0007b\u009b31m\u202ec';
  store.record({ conversationId: one, role: 'user', content, userId: 'ada\u001b[1m' });
  store.close();
  for (const format of ['markdown', 'jsonl']) {
    const { stdout } = await runCli(['export', '--database', database, '--format', format]);
    expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u);
    if (format === 'jsonl') expect(contents(stdout)).toEqual([content]);
  }
});
