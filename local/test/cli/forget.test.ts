// `synap-recorder-local forget`: on a server, or on its file.

import { expect, test } from 'vitest';
import { aMessage, call, readConversation, record, start, tempDatabase } from '../support.js';
import { cli, envOf, runCli } from './support.js';

async function twoPeople(database?: string) {
  const synap = await start({ database });
  const [adas, graces] = [aMessage(), aMessage({ user_id: 'grace' })];
  for (const message of [adas, graces]) await record(synap, message);
  return { synap, adas, graces };
}

test('on a running server', async () => {
  const { synap, adas, graces } = await twoPeople();
  const { code, stdout, stderr } = await runCli(['forget', '--user', 'ada', '--yes'], { env: envOf(synap) });
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: '1 message deleted, and 1 conversation with them\n',
    stderr: '',
  });
  expect((await readConversation(synap, adas.conversation_id)).status).toBe(404);
  expect((await readConversation(synap, graces.conversation_id)).status).toBe(200);
});

test('on the file, whether a server has it open or not', async () => {
  const database = tempDatabase();
  const { synap, adas } = await twoPeople(database);
  const forget = () => cli('forget', '--user', 'ada', '--database', database, '--yes', '--json');
  const { code, stdout } = await forget();
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ messages_deleted: 1, conversations_deleted: 1, erased_from_disk: true });
  expect((await readConversation(synap, adas.conversation_id)).status).toBe(404);
  await synap.close();
  expect(JSON.parse((await forget()).stdout)).toMatchObject({ messages_deleted: 0, erased_from_disk: true });
});

test('of one customer only', async () => {
  const synap = await start({ tenancy: 'b2b' });
  for (const customer_id of ['acme', 'rival']) await record(synap, aMessage({ customer_id }));
  const args = ['forget', '--user', 'ada', '--customer', 'acme', '--yes'];
  expect((await runCli(args, { env: envOf(synap) })).code).toBe(0);
  expect((await call(synap, 'GET', '/v1/conversations')).body.conversations).toMatchObject([{ customer_id: 'rival' }]);
});

test('a user whom nobody knows is said, and is no failure', async () => {
  const { synap } = await twoPeople();
  const { code, stdout } = await runCli(['forget', '--user', 'Ada', '--yes'], { env: envOf(synap) });
  expect({ code, stdout }).toEqual({ code: 0, stdout: `Nothing is stored of Ada in ${synap.url}\n` });
});

test('where nobody can be asked, nothing is deleted without --yes', async () => {
  const { synap, adas } = await twoPeople();
  const { code, stderr } = await runCli(['forget', '--user', 'ada'], { env: envOf(synap) });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'error: forget deletes for good: pass --yes where nobody can be asked\n',
  });
  expect((await readConversation(synap, adas.conversation_id)).status).toBe(200);
});

test.each([
  [[], /required option '--user <id>'/],
  [['--user', ' '], /must not be empty/],
  [['--user', 'ada', '--customer', ''], /must not be empty/],
])('%j is invalid usage', async (args, problem) => {
  const { code, stderr } = await cli('forget', ...args, '--yes');
  expect(code).toBe(2);
  expect(stderr).toMatch(problem);
});

test('a file that is not there is not made', async () => {
  const database = tempDatabase();
  const { code, stderr } = await cli('forget', '--user', 'ada', '--database', database, '--yes');
  expect({ code, stderr }).toEqual({ code: 1, stderr: `error: ${database} does not exist: check the path\n` });
});
