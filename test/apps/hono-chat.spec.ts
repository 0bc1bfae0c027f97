// examples/apps/hono-chat, installed and used as its reader would.

import { beforeAll, describe, expect, it } from 'vitest';
import { conversationUuid } from '../../src/index.js';
import type { ModelScript } from '../support/scripted-model.js';
import { hangUp, install, LONG_ANSWER, startApp } from './support.js';

const start = (script: ModelScript) => startApp('hono-chat', ['server.ts'], script);

interface Said {
  role: 'user' | 'assistant';
  content: string;
}

/** What the page sends. */
const asks = (cookie: string, chatId: string, messages: Said[]): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', cookie },
  body: JSON.stringify({ chatId, messages }),
});

/** Opens the page, as a browser that was never here before. */
async function visit(url: string) {
  const response = await fetch(url);
  const [cookie = ''] = response.headers.getSetCookie();
  const [, guest = ''] = /^guest=([^;]+);.*HttpOnly/.exec(cookie) ?? [];
  return { page: await response.text(), guest, cookie: `guest=${guest}` };
}

beforeAll(() => install('hono-chat'));

describe('the Hono chat', () => {
  it('records a conversation of the guest that the cookie names', async () => {
    const answers = ['Air scatters blue light.', 'Then the way through the air is longer.'];
    await using app = await start((_, index) => ({ text: answers[index]?.split(/(?<= )/) ?? '' }));
    const url = await app.url();
    const { page, guest, cookie } = await visit(url);
    expect(page).toContain('<title>Chat</title>');

    const messages: Said[] = [];
    for (const content of ['Why is the sky blue?', 'And at sunset?']) {
      messages.push({ role: 'user', content });
      const response = await fetch(`${url}/chat`, asks(cookie, 'chat-42', messages));
      messages.push({ role: 'assistant', content: await response.text() });
    }
    expect(messages.map(({ content }) => content)).toEqual([
      'Why is the sky blue?',
      answers[0],
      'And at sunset?',
      answers[1],
    ]);

    expect(await app.end('SIGTERM')).toBe('SIGTERM');
    const [chat, ...others] = await app.transcripts();
    expect(others).toEqual([]);
    expect(chat).toMatchObject({ userId: guest, conversationId: conversationUuid('chat-42', { userId: guest }) });
    expect(chat?.lines).toEqual(messages.map(({ role, content }) => `${role}: ${content}`));
    expect(chat?.messages[3]?.metadata).toMatchObject({ model: 'gpt-5-mini', status: 'complete' });
    expect(app.said.stderr).toBe('');
  });

  it('records an answer as aborted when the browser goes away', async () => {
    await using app = await start(() => LONG_ANSWER);
    const url = await app.url();
    const { cookie } = await visit(url);
    const question = asks(cookie, 'chat-42', [{ role: 'user', content: 'Count' }]);
    await hangUp(`${url}/chat`, question, text => text.includes('w2 '));
    await expect
      .poll(async () => (await app.transcripts())[0]?.lines)
      .toEqual(['user: Count', expect.stringMatching(/^assistant \(aborted\): w0 w1 w2 /)]);
    expect(app.said.stderr).toBe('');
  });

  it('refuses what is no conversation', async () => {
    await using app = await start(() => ({ text: 'Hi' }));
    const response = await fetch(`${await app.url()}/chat`, asks('', 'chat-42', []));
    expect(response.status).toBe(400);
    expect(app.model.requests).toEqual([]);
  });
});
