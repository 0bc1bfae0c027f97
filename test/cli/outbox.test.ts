import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRecorder } from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { expectSound } from '../delivery/outbox-support.js';
import { type Script, scriptedSynap } from '../support/scripted-synap.js';
import { cli } from './support.js';

/** A file with one message delivered, one dead, and one that waits; and the Synap it speaks to. */
async function outboxFile(script: Script) {
  const directory = mkdtempSync(join(tmpdir(), 'synap-recorder-cli-outbox-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'outbox.db');
  const synap = await scriptedSynap(script);
  onTestFinished(() => synap.close());
  const recorder = createRecorder({
    apiKey: 'k',
    baseUrl: synap.url,
    userId: 'ada',
    outbox: sqliteOutbox({ path: file }),
    rateLimit: false,
    logger: false,
  });
  recorder.turn({ conversationId: 'a' }).user('fine');
  recorder.turn({ conversationId: 'b' }).user('poison\u001b[31m');
  await recorder.flush();
  recorder.turn({ conversationId: 'c' }).user('late');
  await recorder.close({ timeoutMs: 0 });
  return { file, synap, flags: ['--base-url', synap.url, '--api-key', 'k'] };
}

const refusesPoison: Script = ({ messages }) =>
  messages.some(message => message.content.startsWith('poison')) ? { status: 422 } : undefined;

describe('synap-recorder outbox', () => {
  it('status says what waits and what is dead', async () => {
    const { file } = await outboxFile(refusesPoison);
    const { code, stdout } = await cli('outbox', 'status', file);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /accepted +3\npending +1, the oldest since .*Z\nin flight +0\ndelivered +1\ndead letters +1\n/,
    );
    expect(stdout).toContain('No process is delivering from it.');
    const json = JSON.parse((await cli('outbox', 'status', file, '--json')).stdout);
    expect(json).toMatchObject({ accepted: 3, pending: 1, delivered: 1, deadLetters: 1, delivering: false });
  });

  it('list names the messages, and shows what they say only when it is asked to', async () => {
    const { file } = await outboxFile(refusesPoison);
    const { stdout } = await cli('outbox', 'list', file);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^dead .* user .*422/),
      expect.stringMatching(/^pending .* user /),
      '',
    ]);
    expect(stdout).not.toMatch(/poison|late/);
    const shown = await cli('outbox', 'list', file, '--state', 'dead', '--content');
    expect(shown.stdout).toContain('poison␛[31m');
    expect(shown.stdout).not.toContain('\u001b');
    const lines = (await cli('outbox', 'list', file, '--json', '--limit', '1')).stdout.trim().split('\n');
    expect(lines.map(line => JSON.parse(line))).toEqual([
      expect.objectContaining({ state: 'dead', role: 'user', error: expect.stringContaining('422') }),
    ]);
  });

  it('replay sends what is dead and what waits, once the reason is gone', async () => {
    let healed = false;
    const { file, synap, flags } = await outboxFile((request, ...rest) =>
      healed ? undefined : (refusesPoison(request, ...rest) as undefined),
    );
    const first = await cli('outbox', 'replay', file, ...flags);
    expect(first).toMatchObject({ code: 1, stdout: expect.stringContaining('1 refused again, 0 pending') });
    expect(first.stderr).toContain('Synap refused 1 message again');
    healed = true;
    const { code, stdout } = await cli('outbox', 'replay', file, ...flags, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ replayed: 1, delivered: 1, deadLettered: 0, pending: 0 });
    expect(synap.stored.map(message => message.content)).toEqual(['fine', 'late', 'poison\u001b[31m']);
  });

  it('replay that Synap refuses the key for keeps everything, and says so', async () => {
    let refuses = false;
    const { file, flags } = await outboxFile((request, ...rest) =>
      refuses ? { status: 401 } : (refusesPoison(request, ...rest) as undefined),
    );
    refuses = true;
    const { code, stderr } = await cli('outbox', 'replay', file, ...flags);
    expect(code).toBe(1);
    expect(stderr).toContain('2 messages stay pending');
    expect(JSON.parse((await cli('outbox', 'status', file, '--json')).stdout)).toMatchObject({ pending: 2 });
  });

  it('purge deletes dead letters, and only when it is told twice', async () => {
    const { file } = await outboxFile(refusesPoison);
    expect((await cli('outbox', 'purge', file)).stdout).toBe('1 dead letter; --yes deletes them\n');
    expect((await cli('outbox', 'purge', file, '--yes', '--json')).stdout).toBe('{"purged":1,"found":1}\n');
    expect(JSON.parse((await cli('outbox', 'status', file, '--json')).stdout)).toMatchObject({
      accepted: 3,
      deadLetters: 0,
      deadLettered: 1,
      pending: 1,
    });
  });

  describe('with a message that Synap refused singly', () => {
    /** As {@link outboxFile}, and the message that waits is held. */
    async function withHeld() {
      const on = await outboxFile(refusesPoison);
      const outbox = sqliteOutbox({ path: on.file });
      const [account] = (await outbox.accounts?.()) ?? [];
      const limits = { maxMessages: 1, maxBytes: 1000, onePerConversation: false, except: new Set<string>() };
      const [entry] = await outbox.claim({ ...limits, account: account?.account });
      const settlement = {
        key: entry?.key ?? '',
        to: 'pending',
        attempts: 1,
        maybeStored: false,
        refused: 'no: 403',
      } as const;
      await outbox.settle([settlement], account?.account);
      await outbox.close();
      return on;
    }

    it('status and list say that it is held, and why', async () => {
      const { file } = await withHeld();
      expect((await cli('outbox', 'status', file)).stdout).toMatch(
        /pending +1, .*; 1 of them held: Synap refused it\n/,
      );
      for (const state of ['held', 'pending']) {
        const { stdout } = await cli('outbox', 'list', file, '--state', state);
        expect(stdout).toMatch(/^held .* tried 1 time {2}no: 403\n$/);
      }
    });

    it.each(['held', 'pending'])('purge --state %s deletes it, and it stays counted', async state => {
      const { file } = await withHeld();
      expect((await cli('outbox', 'purge', file, '--state', state)).stdout).toBe('1 message; --yes deletes them\n');
      expect((await cli('outbox', 'purge', file, '--state', state, '--yes')).stdout).toBe('1 message deleted\n');
      const status = JSON.parse((await cli('outbox', 'status', file, '--json')).stdout);
      expect(status).toMatchObject({ accepted: 3, pending: 0, held: 0, delivered: 1, deadLetters: 1, deadLettered: 2 });
    });
  });

  it('purge of what is pending leaves alone what a process has in flight', async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const { file } = await outboxFile(refusesPoison);
    const synap = await scriptedSynap(async () => void (await answered));
    onTestFinished(() => synap.close());
    const account = JSON.parse((await cli('outbox', 'status', file, '--json')).stdout).accounts[0].account;
    const recorder = createRecorder({
      ...{ apiKey: 'k', baseUrl: synap.url, account, userId: 'ada', outbox: sqliteOutbox({ path: file }) },
      ...{ batch: { maxMessages: 1, lingerMs: 1 }, rateLimit: false, logger: false },
    });
    onTestFinished(async () => void (await recorder.close({ timeoutMs: 0 })));
    for (const content of ['one', 'two']) recorder.turn({ conversationId: 'c' }).user(content);
    await expect.poll(() => synap.requests.length).toBe(1);
    expect((await cli('outbox', 'purge', file, '--state', 'pending', '--yes', '--json')).stdout).toBe(
      '{"purged":2,"found":2}\n',
    );
    answer();
    await expect.poll(() => recorder.stats().inFlight).toBe(0);
    expect(synap.stored.map(({ content }) => content)).toEqual(['late']);
    expect(recorder.stats()).toMatchObject({ accepted: 5, delivered: 2, deadLettered: 3, pending: 0 });
  });

  describe('with the messages of another account', () => {
    it('status names the accounts, and replay with another key sends nothing and says whose they are', async () => {
      const { file, synap } = await outboxFile(refusesPoison);
      const { stdout } = await cli('outbox', 'status', file);
      expect(stdout).toMatch(new RegExp(`^account +${synap.url} .*: 1 waiting, 1 delivered, 1 dead letter$`, 'm'));
      const other = await scriptedSynap();
      onTestFinished(() => other.close());
      const { code, stderr } = await cli('outbox', 'replay', file, '--base-url', other.url, '--api-key', 'other');
      expect(code).toBe(1);
      expect(stderr).toContain(`holds messages of another account, "${synap.url} `);
      expect(stderr).toContain(`synap-recorder outbox adopt ${file} --from "${synap.url} `);
      expect(other.stored).toEqual([]);
      expect(JSON.parse((await cli('outbox', 'status', file, '--json')).stdout)).toMatchObject({ pending: 1 });
    });

    it('adopt gives them to the account of a key, which sends them', async () => {
      const { file } = await outboxFile(refusesPoison);
      const other = await scriptedSynap();
      onTestFinished(() => other.close());
      const flags = ['--base-url', other.url, '--api-key', 'other'];
      const [{ account }] = JSON.parse((await cli('outbox', 'status', file, '--json')).stdout).accounts;
      const { code, stdout } = await cli('outbox', 'adopt', file, '--from', account, ...flags);
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: expect.stringContaining(`2 messages moved from ${account} to ${other.url} `),
      });
      expect(await cli('outbox', 'replay', file, ...flags)).toMatchObject({ code: 0 });
      expect(other.stored.map(({ content }) => content)).toEqual(['late', 'poison\u001b[31m']);
    });

    it('adopt takes the name of an account, and names those that there are when it is wrong', async () => {
      const { file } = await outboxFile(refusesPoison);
      const [{ account }] = JSON.parse((await cli('outbox', 'status', file, '--json')).stdout).accounts;
      const wrong = await cli('outbox', 'adopt', file, '--from', 'nobody', '--to', 'mine');
      expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining(`it has "${account}"`) });
      const { stdout } = await cli('outbox', 'adopt', file, '--from', account, '--to', 'mine', '--json');
      expect(JSON.parse(stdout)).toEqual({ adopted: 2, from: account, to: 'mine' });
      expect((await cli('outbox', 'list', file, '--account', 'mine')).stdout.trim().split('\n')).toHaveLength(2);
      expect((await cli('outbox', 'list', file, '--account', account)).stdout).toBe('');
    });
  });

  it.each(['status', 'list', 'replay', 'purge'])('%s of a file that is not there makes none', async command => {
    const file = join(tmpdir(), `synap-recorder-none-${process.pid}.db`);
    const { code, stderr } = await cli('outbox', command, file);
    expect(code).toBe(1);
    expect(stderr).toMatch(/does not exist: check the path\n$/);
    expect(existsSync(file)).toBe(false);
  });

  it('refuses a database that is no outbox', async () => {
    const { file } = await outboxFile(refusesPoison);
    const { DatabaseSync } = await import('node:sqlite');
    const other = `${file}.other`;
    const db = new DatabaseSync(other);
    db.exec('CREATE TABLE t (x)');
    db.close();
    const { code, stderr } = await cli('outbox', 'status', other);
    expect(code).toBe(1);
    expect(stderr).toContain('is a database of another program');
  });
});

describe('synap-recorder outbox forget', () => {
  const inFile = (file: string, text: string) =>
    ['', '-wal', '-shm'].filter(end => existsSync(file + end) && readFileSync(file + end).includes(text));

  async function twoUsers() {
    const { file, synap, flags } = await outboxFile(refusesPoison);
    const recorder = createRecorder({
      apiKey: 'k',
      baseUrl: synap.url,
      outbox: sqliteOutbox({ path: file }),
      rateLimit: false,
      logger: false,
    });
    for (const [userId, text] of [
      ['bob', 'daffodil'],
      ['ada', 'tulip'],
    ] as const)
      recorder.turn({ userId, conversationId: `of ${userId}` }).user(text.repeat(2000));
    await recorder.close({ timeoutMs: 0 });
    return { file, flags };
  }

  it('deletes what waits of a user and their dead letters, from the file and from its log', async () => {
    const { file } = await twoUsers();
    expect(inFile(file, 'tulip')).not.toEqual([]);
    const { code, stdout } = await cli('outbox', 'forget', file, '--user', 'ada');
    expect(stdout).toBe('2 pending messages and 1 dead letter of user ada deleted\n');
    expect(code).toBe(0);
    for (const text of ['tulip', 'poison', 'late', 'fine', '"ada"']) expect(inFile(file, text)).toEqual([]);
    expect(inFile(file, 'daffodil')).not.toEqual([]);
    const status = JSON.parse((await cli('outbox', 'status', file, '--json')).stdout);
    expect(status).toMatchObject({
      accepted: 5,
      pending: 1,
      delivered: 1,
      deadLettered: 3,
      deadLetters: 0,
      inFlight: 0,
    });
    expectSound(file);
  });

  it('deletes what a process that died had in flight, and leaves what one sends', async () => {
    const { file } = await twoUsers();
    const db = new DatabaseSync(file);
    onTestFinished(() => db.close());
    db.exec("UPDATE entries SET state = 'in_flight' WHERE state = 'ready'");
    db.exec('UPDATE accounts SET in_flight = pending, in_flight_bytes = pending_bytes, pending = 0, pending_bytes = 0');
    const done = await cli('outbox', 'forget', file, '--user', 'ada', '--json');
    expect(JSON.parse(done.stdout)).toEqual({ pending: 2, deadLetters: 1, inFlight: 0, erased: true });
    expect(inFile(file, 'tulip')).toEqual([]);
  });

  it('deletes a conversation by its UUID or the id of the app', async () => {
    const { file } = await twoUsers();
    const { stdout } = await cli('outbox', 'forget', file, '--conversation', 'of bob', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ pending: 1, deadLetters: 0 });
    expect(inFile(file, 'daffodil')).toEqual([]);
    expect(inFile(file, 'tulip')).not.toEqual([]);
  });

  it('finds nobody of whom it has nothing, and wants to know whom', async () => {
    const { file } = await twoUsers();
    const { code, stdout } = await cli('outbox', 'forget', file, '--user', 'ad');
    expect([code, stdout]).toEqual([0, '0 pending messages and 0 dead letters of user ad deleted\n']);
    expect((await cli('outbox', 'forget', file)).code).toBe(2);
    expect((await cli('outbox', 'forget', `${file}.not`, '--user', 'ada')).code).toBe(1);
    expect(existsSync(`${file}.not`)).toBe(false);
  });

  it('purge leaves nothing of what it deletes', async () => {
    const { file } = await twoUsers();
    await cli('outbox', 'purge', file, '--state', 'pending', '--state', 'dead', '--yes');
    for (const text of ['tulip', 'daffodil', 'poison']) expect(inFile(file, text)).toEqual([]);
  });
});

describe('synap-recorder outbox salvage', () => {
  it('reads what can be read into a new file, says what is missing, and leaves the damaged one as it is', async () => {
    const { file } = await outboxFile(refusesPoison);
    const damaged = readFileSync(file);
    // Its head and the tree below it are gone.
    damaged.fill(0xa5, 0, 4096);
    writeFileSync(file, damaged);
    expect((await cli('outbox', 'status', file)).code).toBe(1);
    const { code, stdout, stderr } = await cli('outbox', 'salvage', file);
    expect([code, stdout]).toEqual([0, `1 pending message and 1 dead letter read into ${file}.salvaged\n`]);
    expect(stderr).toContain('1 unreadable page');
    expect(stderr).toContain(`there is no ${file}-wal`);
    expect(readFileSync(file)).toEqual(damaged);
    expect((await cli('outbox', 'list', `${file}.salvaged`, '--content')).stdout).toContain('poison');
    expect((await cli('outbox', 'salvage', file)).code).toBe(1);
    const json = await cli('outbox', 'salvage', file, '--to', `${file}.2`, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ file: `${file}.2`, pending: 1, deadLetters: 1, lost: 0 });
  });
});
