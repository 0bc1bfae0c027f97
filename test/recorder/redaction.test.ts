import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { RecordMessageInput } from '../../src/index.js';
import { balanced, recorderOn } from '../support/recorder.js';

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
});
