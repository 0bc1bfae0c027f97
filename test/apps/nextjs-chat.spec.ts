// examples/apps/nextjs-chat, installed, built and used as its reader would.

import { DefaultChatTransport, readUIMessageStream, type UIMessage } from 'ai';
import { beforeAll, describe, expect, it } from 'vitest';
import { conversationUuid } from '../../src/index.js';
import type { ModelScript } from '../support/scripted-model.js';
import { inApp, install, LONG_ANSWER, startApp } from './support.js';

const NEXT = 'node_modules/next/dist/bin/next';

const start = (script: ModelScript) => startApp('nextjs-chat', [NEXT, 'start', '--port', '0'], script);

/** A browser with the page open: what `useChat` sends and keeps, and the browser's cookies. */
class Browser {
  readonly messages: UIMessage[] = [];
  cookie = '';
  readonly #chatId: string;
  readonly #transport: DefaultChatTransport<UIMessage>;

  constructor(url: string, chatId: string) {
    this.#chatId = chatId;
    this.#transport = new DefaultChatTransport({
      api: `${url}/api/chat`,
      fetch: async (input, init) => {
        const response = await fetch(input, { ...init, headers: { ...init?.headers, cookie: this.cookie } });
        this.cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? this.cookie;
        return response;
      },
    });
  }

  get guest(): string {
    return this.cookie.replace('guest=', '');
  }

  ask(text: string): Promise<string> {
    const id = `message-${this.messages.length}`;
    this.messages.push({ id, role: 'user', parts: [{ type: 'text', text }] });
    return this.#answer('submit-message');
  }

  regenerate(): Promise<string> {
    this.messages.pop();
    return this.#answer('regenerate-message');
  }

  /** Asks, and leaves as soon as the answer has come so far. */
  async askAndLeave(text: string, enough: string): Promise<void> {
    const leaving = new AbortController();
    this.messages.push({ id: 'message-0', role: 'user', parts: [{ type: 'text', text }] });
    await this.#answer('submit-message', leaving.signal, answer => {
      if (answer.includes(enough)) leaving.abort();
    }).catch(() => {});
    expect(leaving.signal.aborted).toBe(true);
  }

  async #answer(
    trigger: 'submit-message' | 'regenerate-message',
    abortSignal?: AbortSignal,
    onText: (text: string) => void = () => {},
  ): Promise<string> {
    const [chatId, messages] = [this.#chatId, this.messages];
    const stream = await this.#transport.sendMessages({ trigger, chatId, messageId: undefined, messages, abortSignal });
    let answer: UIMessage | undefined;
    for await (const message of readUIMessageStream({ stream })) {
      answer = message;
      onText(textOf(message));
    }
    if (answer) messages.push(answer);
    return answer ? textOf(answer) : '';
  }
}

function textOf({ parts }: UIMessage): string {
  return parts.map(part => (part.type === 'text' ? part.text : '')).join('');
}

beforeAll(async () => {
  await install('nextjs-chat');
  // No key is set here: a build records nothing.
  await inApp('nextjs-chat', process.execPath, [NEXT, 'build']);
});

describe('the Next.js chat', () => {
  it('renders its page', async () => {
    await using app = await start(() => ({ text: 'Hi' }));
    const page = await (await fetch(await app.url())).text();
    expect(page).toContain('<title>Chat</title>');
    expect(page).toMatch(/<input[^>]* aria-label="Your question"/);
  });

  it('delivers a turn after its response, and ends only then', async () => {
    const answers = ['Air scatters blue light.', 'Then the way through the air is longer.'];
    await using app = await start((_, index) => ({ text: answers[index]?.split(/(?<= )/) ?? '' }));
    const browser = new Browser(await app.url(), 'chat-42');
    expect(await browser.ask('Why is the sky blue?')).toBe(answers[0]);
    expect(await browser.ask('And at sunset?')).toBe(answers[1]);
    await app.end('SIGTERM');

    const [chat, ...others] = await app.transcripts();
    expect(others).toEqual([]);
    expect(chat).toMatchObject({
      userId: browser.guest,
      conversationId: conversationUuid('chat-42', { userId: browser.guest }),
    });
    expect(browser.guest).toMatch(/^[0-9a-f-]{36}$/);
    expect(chat?.lines).toEqual([
      'user: Why is the sky blue?',
      `assistant: ${answers[0]}`,
      'user: And at sunset?',
      `assistant: ${answers[1]}`,
    ]);
    expect(chat?.messages[3]?.metadata).toMatchObject({ model: 'gpt-5-mini', status: 'complete' });
    expect(app.said.stderr).toBe('');
  });

  it('records a question once that is answered again', async () => {
    await using app = await start((_, index) => ({ text: `Answer ${index}` }));
    const browser = new Browser(await app.url(), 'chat-42');
    await browser.ask('Why is the sky blue?');
    expect(await browser.regenerate()).toBe('Answer 1');
    await expect
      .poll(async () => (await app.transcripts())[0]?.lines)
      .toEqual(['user: Why is the sky blue?', 'assistant: Answer 0', 'assistant: Answer 1']);
  });

  it('records an answer as aborted when the browser goes away', async () => {
    await using app = await start(() => LONG_ANSWER);
    const browser = new Browser(await app.url(), 'chat-42');
    await browser.askAndLeave('Count', 'w2 ');
    await expect
      .poll(async () => (await app.transcripts())[0]?.lines)
      .toEqual(['user: Count', expect.stringMatching(/^assistant \(aborted\): w0 w1 w2 /)]);
    expect(app.said.stderr).toBe('');
  });
});
