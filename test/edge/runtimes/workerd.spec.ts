// The package in workerd, the runtime of Cloudflare Workers.

import { describe, expect, it } from 'vitest';
import { scriptedModel } from '../../support/scripted-model.js';
import { type Script, scriptedSynap } from '../../support/scripted-synap.js';
import type { Env } from '../workers/env.js';
import { program, type Settings, startWorker } from './start.js';

/** A worker of test/edge/workers in front of a scripted Synap. */
async function workerOn(name: string, script?: Script, settings: Settings = {}) {
  const synap = await scriptedSynap(script);
  const env: Env = { apiKey: 'k', baseUrl: synap.url, ...settings.env };
  const worker = await startWorker(program(name), { ...settings, env }).catch(async error => {
    await synap.close();
    throw error;
  });
  return {
    ...worker,
    synap,
    said: () => synap.stored.map(({ role, content }) => `${role}: ${content}`),
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      await synap.close();
    },
  };
}

const json = async (url: string) => (await fetch(url)).json();

describe('the client in a worker', () => {
  it.each<[string, Settings]>([
    ['with AsyncLocalStorage only', {}],
    ['with all of Node.js that there is', { compatibilityFlags: ['nodejs_compat'] }],
    ['of 2024, without FinalizationRegistry', { compatibilityDate: '2024-09-23' }],
  ])('%s gets its receipt', async (_, settings) => {
    await using on = await workerOn('client', undefined, settings);
    expect(await json(on.url)).toMatchObject({ messageId: 'm0', recordedAt: '2026-01-01T00:00:00.000Z' });
    expect(on.synap.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer k',
      'user-agent': expect.stringMatching(/^synap-recorder\//),
    });
  });

  it.each<[string, object, Script]>([
    [
      'a refusal',
      { name: 'InvalidInputError', status: 422, message: expect.stringContaining('bad') },
      () => ({ status: 422, json: { detail: 'bad' } }),
    ],
    [
      'a redirect, which it does not follow',
      { name: 'ServiceUnavailableError', retryable: true, status: 307 },
      (_, index) => (index === 0 ? { status: 307, headers: { location: '/elsewhere' } } : undefined),
    ],
    [
      'a connection that broke',
      { name: 'NetworkError', sent: 'unknown', retryable: true },
      () => ({ reset: 'after storing' }),
    ],
    ['no answer', { name: 'TimeoutError', sent: 'unknown' }, () => 'handled'],
  ])('reports %s as an error', async (_, error, script) => {
    await using on = await workerOn('client', script, { env: { timeoutMs: 1000 } as Env });
    expect(await json(on.url)).toMatchObject(error);
    expect(on.synap.requests).toHaveLength(1);
  });

  it.each<[string, RegExp, Script]>([
    ['is too long', /it is longer than 8388608 bytes/, () => ({ text: 'x'.repeat(9_000_000) })],
    [
      'only begins',
      /could not be read/,
      (_, __, { response }) => {
        response.writeHead(200).write('{');
        return 'handled';
      },
    ],
  ])('counts a 2xx whose body %s as stored, and says what was unread', async (_, unread, script) => {
    await using on = await workerOn('client', script, { env: { timeoutMs: 1000 } as Env });
    expect(await json(on.url)).toMatchObject({ unread: expect.stringMatching(unread) });
    expect(on.synap.requests).toHaveLength(1);
  });
});

describe('a recorder in a worker', () => {
  it('delivers the turns of many requests at once, after they are answered', async () => {
    const answered = Promise.withResolvers<undefined>();
    await using on = await workerOn('by-hand', () => answered.promise);
    const chats = Array.from({ length: 50 }, (_, n) => `chat-${n}`);
    const answers = await Promise.all(chats.map(chat => json(`${on.url}?chat=${chat}`)));
    expect(answers).toEqual(answers.map(() => expect.objectContaining({ accepted: 2, delivered: 0 })));
    answered.resolve(undefined);
    await expect.poll(on.said).toHaveLength(100);
    expect(on.said().sort()).toEqual(
      chats.flatMap(chat => [`user: Hi from ${chat}`, `assistant: Hello ${chat}`]).sort(),
    );
    expect(new Set(on.synap.stored.map(message => message.conversation_id)).size).toBe(50);
    expect(on.log()).toBe('');
  });

  it('goes on through a failure, though the request is long answered', async () => {
    let calls = 0;
    await using on = await workerOn('by-hand', () => (++calls === 1 ? { status: 503 } : undefined));
    await json(`${on.url}?chat=c`);
    await expect.poll(on.said).toEqual(['user: Hi from c', 'assistant: Hello c']);
  });

  it('is refused by the runtime where there is no request', async () => {
    const outside = `
      import { createRecorder } from 'synap-recorder';
      const recorder = createRecorder({ apiKey: 'k', baseUrl: 'http://127.0.0.1:9' });
      export default { fetch: () => Response.json(recorder.stats()) };
    `;
    await expect(startWorker(outside)).rejects.toThrow(/not allowed within global scope[\s\S]*createRecorder/);
  });

  it('that was kept from an earlier request sends nothing, and says why', async () => {
    await using on = await workerOn('kept');
    expect(await json(on.url)).toMatchObject({ delivered: 1 });
    expect(await json(on.url)).toMatchObject({ delivered: 0, pending: 1 });
    await expect.poll(on.log).toMatch(/Nothing was sent to Synap .*on behalf of a different request/);
    expect(on.said()).toEqual(['user: Hi']);
  });
});

describe('the AI SDK in a worker', () => {
  const words = Array.from({ length: 40 }, (_, n) => `w${n} `);

  async function chat(delayMs = 0) {
    const model = await scriptedModel(() => ({ text: words, delayMs }));
    const on = await workerOn('chat', undefined, {
      env: { modelUrl: model.url } as Env,
      compatibilityFlags: ['nodejs_als', 'enable_request_signal'],
    });
    return {
      ...on,
      async [Symbol.asyncDispose]() {
        await on[Symbol.asyncDispose]();
        await model.close();
      },
    };
  }

  /** Reads the beginning of an answer, and goes away. */
  async function hangUp(url: string): Promise<void> {
    const browser = new AbortController();
    const { body } = await fetch(url, { method: 'POST', body: 'Count', signal: browser.signal });
    let got = '';
    for (const reader = body?.getReader(); !got.includes('w0 '); ) {
      const next = await reader?.read();
      if (!next || next.done) break;
      got += new TextDecoder().decode(next.value);
    }
    browser.abort();
  }

  describe.each([
    ['a wrapped model', ''],
    ['a wrapped function', '&functions'],
    ['a wrapped function that answers as UI messages', '&functions&ui'],
  ])('with %s', (_, how) => {
    it('is recorded as it streams', async () => {
      await using on = await chat();
      const answer = await fetch(`${on.url}?${how}`, { method: 'POST', body: 'Count' });
      expect((await answer.text()).match(/w\d+ /g)).toEqual(words);
      await expect.poll(on.said).toEqual(['user: Count', `assistant: ${words.join('')}`]);
      expect(on.synap.stored[1]?.metadata).toMatchObject({
        framework: 'ai-sdk',
        model: 'gpt-5',
        status: 'complete',
        finish_reason: 'stop',
        total_tokens: 15,
      });
      expect(on.log()).toBe('');
    });

    it('is recorded as far as it came, when the reader goes away', async () => {
      await using on = await chat(50);
      await hangUp(`${on.url}?${how}`);
      await expect.poll(() => on.synap.stored[1]?.metadata?.status).toBe('abandoned');
      expect(on.said()).toEqual(['user: Count', expect.stringMatching(/^assistant: w0 /)]);
    });

    it('is recorded as aborted at once, when the request’s signal is passed on', async () => {
      await using on = await chat(50);
      await hangUp(`${on.url}?signal${how}`);
      await expect.poll(() => on.synap.stored[1]?.metadata?.status).toBe('aborted');
      expect(on.said()).toEqual(['user: Count', expect.stringMatching(/^assistant: w0 /)]);
    });
  });
});

it('LangChain in a worker is recorded', async () => {
  await using on = await workerOn('chain');
  const answer = await fetch(on.url, { method: 'POST', body: 'Why is the sky blue?' });
  expect(await answer.text()).toBe('Why is the sky blue?');
  await expect.poll(on.said).toEqual(['user: Why is the sky blue?', 'assistant: Why is the sky blue?']);
  expect(on.synap.stored[1]?.metadata).toMatchObject({ framework: 'langchain', status: 'complete' });
});
