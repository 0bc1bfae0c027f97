import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createRecorder, type RecordMessageInput } from '../../src/index.js';
import { balanced, recorderOn } from '../support/recorder.js';
import { turns } from '../support/turns.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('a redaction', () => {
  it('can’t make another message of one, not even in place', async () => {
    await using on = await recorderOn(undefined, {
      redact: message => {
        const { conversationId } = on.recorder.turn({ userId: 'bob', conversationId: 'bobs' });
        return Object.assign(message, { conversationId, role: 'assistant', content: 'redacted' });
      },
    });
    const turn = on.recorder.turn({ conversationId: 'adas' });
    turn.user('Hi');
    await on.recorder.flush();
    expect(on.synap.stored).toMatchObject([
      { conversation_id: turn.conversationId, role: 'user', content: 'redacted' },
    ]);
  });

  it('that never ends holds 10,000 messages at most', async () => {
    await using on = await recorderOn(undefined, { redact: () => new Promise<never>(() => {}) });
    for (let n = 0; n < 5100; n++) {
      const turn = on.recorder.turn({ conversationId: `c${n}` });
      turn.user('question');
      turn.complete({ content: 'answer' });
    }
    expect(on.recorder.stats().refused).toEqual({ outbox_full: 200 });
    expect(on.losses).toHaveLength(200);
  });

  it('that ends while the recorder closes is counted once', async () => {
    let release = () => {};
    const gate = new Promise<void>(resolve => {
      release = resolve;
    });
    const slow = async (message: RecordMessageInput) => {
      await gate;
      return message;
    };
    const reasons: string[] = [];
    await using on = await recorderOn(() => ({ status: 503 }), {
      redact: message => (message.content === 'slow' ? slow(message) : message),
      onLoss: ({ reason }) => {
        reasons.push(reason);
        if (reason !== 'recorder_closed') release();
      },
    });
    on.recorder.turn({ conversationId: 'a' }).user('quick');
    on.recorder.turn({ conversationId: 'b' }).user('slow');
    await on.recorder.close({ timeoutMs: 50 });
    await gate;
    expect(reasons).toEqual([expect.stringMatching(/^(shutdown|maybe_lost)$/), 'recorder_closed']);
    expect(balanced(on.recorder).refused).toEqual({ recorder_closed: 1 });
  });

  it('that is under way at process.exit() is counted, and told', async () => {
    const program = `
      import { createRecorder } from './dist/index.js';
      const recorder = createRecorder({
        apiKey: 'k', baseUrl: 'http://127.0.0.1:1', userId: 'ada', logger: false,
        redact: () => new Promise(() => {}),
        onLoss: ({ reason, role }) => console.log(reason, role),
      });
      const turn = recorder.turn({ conversationId: 'c' });
      turn.user('question');
      turn.append('half an answer');
      process.exit();`;
    const parameters = ['--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, parameters, { cwd: ROOT });
    expect(stdout).toBe('recorder_closed user\nrecorder_closed assistant\n');
  });

  it('that takes too long is counted, its conversation goes on, and what comes of it later is nobody’s', async () => {
    const late = Promise.withResolvers<RecordMessageInput>();
    await using on = await recorderOn(undefined, {
      redact: message => (message.content === 'slow' ? late.promise : message),
      redactTimeoutMs: 20,
    });
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('slow');
    turn.complete({ content: 'answer' });
    expect(await turn.accepted).toEqual({ accepted: 1, lost: ['redact_failed'] });
    late.resolve({ conversationId: 'c', role: 'user', userId: 'ada', content: 'slow' });
    await on.recorder.flush();
    expect(on.synap.stored.map(({ content }) => content)).toEqual(['answer']);
    expect(on.losses).toMatchObject([{ reason: 'redact_failed', role: 'user' }]);
    expect(on.log.filter(line => line.includes('redact timed out after 20 ms'))).toHaveLength(1);
    expect(balanced(on.recorder).refused).toEqual({ redact_failed: 1 });
  });

  it('that fails after its time is no unhandled rejection', async () => {
    const late = Promise.withResolvers<RecordMessageInput>();
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    process.on('unhandledRejection', note);
    await using on = await recorderOn(undefined, { redact: () => late.promise, redactTimeoutMs: 5 });
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('slow');
    expect(await turn.accepted).toEqual({ accepted: 0, lost: ['redact_failed'] });
    late.reject(new Error('too late'));
    await turns();
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('has its time by the real clock, also where the app has put other timers in its place', async () => {
    const program = `
      import { createRecorder } from './dist/index.js';
      const held = setTimeout(() => {}, 60_000);
      globalThis.setTimeout = globalThis.setInterval = globalThis.setImmediate = () => 0;
      const recorder = createRecorder({
        apiKey: 'k', baseUrl: 'http://127.0.0.1:1', userId: 'ada', logger: false, redact: () => new Promise(() => {}),
        redactTimeoutMs: 20,
      });
      const turn = recorder.turn({ conversationId: 'c' });
      turn.user('slow');
      console.log(JSON.stringify(await turn.accepted));
      clearTimeout(held);`;
    const parameters = ['--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, parameters, { cwd: ROOT });
    expect(JSON.parse(stdout)).toEqual({ accepted: 0, lost: ['redact_failed'] });
  });

  it('that never ends does not hold the process', async () => {
    const program = `
      import { createRecorder } from './dist/index.js';
      const recorder = createRecorder({
        apiKey: 'k', baseUrl: 'http://127.0.0.1:1', userId: 'ada', logger: false, redact: () => new Promise(() => {}),
        redactTimeoutMs: 60_000,
      });
      recorder.turn({ conversationId: 'c' }).user('question');
      process.on('exit', () => console.log(process.uptime() < 30));`;
    const parameters = ['--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, parameters, { cwd: ROOT });
    expect(stdout).toBe('true\n');
  });

  const SECRET = 'pin 1234';
  it.each<[string, (message: RecordMessageInput) => unknown, string]>([
    ['a text', () => SECRET, 'a string'],
    ['a number', () => 1234, 'a number'],
    ['an array', message => [message], 'an array'],
    ['nothing', () => undefined, 'undefined'],
    ['true', () => true, 'a boolean'],
    ['a function', () => () => SECRET, 'a function'],
    ['only the text', ({ content }) => ({ content }), 'an object with the keys content'],
    ['a text and who', ({ content }) => ({ content, role: 'user' }), 'an object with the keys content, role'],
    ['texts as keys', ({ content }) => ({ [SECRET]: 1, content }), 'an object with the keys content and 1 more'],
    ['only texts as keys', () => ({ [SECRET]: 1 }), 'an object with 1 other keys'],
    ['a Map', () => new Map([[SECRET, 1]]), 'an object without keys'],
    ['the message without its text', message => ({ ...message, content: undefined }), 'an object with the keys conv'],
  ])('that returns %s, at once or later, is counted, and the log names what that was', async (_, redact, what) => {
    for (const isLater of [false, true]) {
      await using on = await recorderOn(undefined, {
        redact: ((message: RecordMessageInput) =>
          isLater ? Promise.resolve(redact(message)) : redact(message)) as never,
      });
      const turn = on.recorder.turn({ conversationId: 'c' });
      turn.user(SECRET);
      expect(await turn.accepted).toEqual({ accepted: 0, lost: ['redact_failed'] });
      const said = on.log.filter(line => line.includes(`redact returned ${isLater ? 'a promise of ' : ''}${what}`));
      expect(said).toHaveLength(1);
      expect(on.log.join()).not.toContain('1234');
    }
  });

  it.each([0, -1, Number.NaN, '5s'])('can not have a time limit of %s', redactTimeoutMs => {
    expect(() => createRecorder({ apiKey: 'k', redactTimeoutMs: redactTimeoutMs as number })).toThrow(
      /redactTimeoutMs/,
    );
  });
});
