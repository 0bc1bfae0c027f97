// examples/apps/terminal-chat, installed and used as its reader would.

import { userInfo } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelScript } from '../support/scripted-model.js';
import { install, LONG_ANSWER, startApp } from './support.js';

const start = (script: ModelScript) => startApp('terminal-chat', ['chat.ts'], script);

beforeAll(() => install('terminal-chat'));

describe('the terminal chat', () => {
  it('records what was said, once, under the name of who runs it', async () => {
    const answers = ['Air scatters blue light.', 'Then the way through the air is longer.'];
    await using app = await start((_, index) => ({ text: answers[index] ?? '' }));
    app.child.stdin.end('Why is the sky blue?\n\nAnd at sunset?\n');
    expect(await app.end()).toBe(0);

    const [chat, ...others] = await app.transcripts();
    expect(others).toEqual([]);
    expect(chat?.userId).toBe(userInfo().username);
    expect(chat?.lines).toEqual([
      'user: Why is the sky blue?',
      `assistant: ${answers[0]}`,
      'user: And at sunset?',
      `assistant: ${answers[1]}`,
    ]);
    expect(chat?.messages[3]?.metadata).toMatchObject({ model: 'gpt-5-mini', status: 'complete' });
    expect(app.model.requests[1]?.messages).toHaveLength(3);
    expect(app.said.stdout).toContain(`Conversation ${chat?.conversationId}: 4 of 4 messages are in Synap.`);
    expect(app.said.stderr).toBe('');
  });

  it('goes on after Ctrl-C, with the answer recorded as far as it came', async () => {
    await using app = await start((_, index) => (index === 0 ? LONG_ANSWER : { text: 'Two.' }));
    app.child.stdin.write('Count\n');
    await expect.poll(() => app.said.stdout).toContain('w2 ');
    app.child.kill('SIGINT');
    app.child.stdin.end('Only to two\n');
    expect(await app.end()).toBe(0);

    const [chat] = await app.transcripts();
    expect(chat?.lines).toEqual([
      'user: Count',
      expect.stringMatching(/^assistant \(aborted\): w0 w1 w2 /),
      'user: Only to two',
      'assistant: Two.',
    ]);
    expect(app.said.stderr).toBe('');
  });

  it('goes on after a question that the model refuses, and records the question', async () => {
    await using app = await start((_, index) => (index === 0 ? { status: 400 } : { text: 'Better.' }));
    app.child.stdin.end('Too much?\nAnd now?\n');
    expect(await app.end()).toBe(0);

    const [chat] = await app.transcripts();
    expect(chat?.lines).toEqual(['user: Too much?', 'user: And now?', 'assistant: Better.']);
    expect(app.said.stderr).toBe('scripted 400\n');
  });
});
