import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRecorder } from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
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
