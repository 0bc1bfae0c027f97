// What of a prompt is recorded: new messages, attachments, tool results.

import * as openai7 from '@ai-sdk/openai-compatible';
import * as openai5 from 'openai-compatible-ai5';
import * as openai6 from 'openai-compatible-ai6';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/v4';
import { wrapAISDK, wrapModel } from '../../src/ai-sdk/index.js';
import { conversationUuid } from '../../src/index.js';
import { recorderOn } from '../support/recorder.js';
import { scriptedModel } from '../support/scripted-model.js';
import { turns } from '../support/turns.js';
import { line, MAJORS, recording } from './majors.js';

const providers = [openai5, openai6, openai7];
const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const base64 = Buffer.from(PNG).toString('base64');
const pdf = Buffer.from('%PDF-1.4 report').toString('base64');

const WAYS = ['wrapAISDK', 'wrapModel'] as const;
const both = MAJORS.flatMap((major, index) =>
  WAYS.map(way => ({ major, way, index, name: `${way} on ${major.name}` })),
);

describe.each(both)('$name, prompts', ({ major, way, index }) => {
  it('keeps twenty concurrent turns apart, over a real provider, each in its own conversation', async () => {
    await using server = await scriptedModel(async ({ messages }) => {
      await turns(Math.random() * 30);
      const user = String(messages.find(message => message.role === 'user')?.content);
      if (messages.at(-1)?.role === 'tool') return { text: ['done ', user] };
      return { text: 'Wait. ', toolCalls: [{ id: 'call-1', name: 'weather', arguments: {} }] };
    });
    await using on = await recorderOn();
    const provider = providers[index]?.createOpenAICompatible({ name: 'scripted', baseURL: server.url, apiKey: 'k' });
    const plain = provider?.('gpt-x') as object;
    const sdk = way === 'wrapAISDK' ? wrapAISDK(major.sdk, on.recorder) : major.sdk;
    const model = (way === 'wrapAISDK' ? plain : wrapModel(plain, on.recorder)) as never;
    const tools = { weather: { inputSchema: z.object({}), execute: async () => 'sunny' } };
    const turn = (n: number) => ({
      model,
      prompt: `q${n}`,
      tools,
      stopWhen: major.steps(5),
      providerOptions: { synap: { userId: `u${n}`, conversationId: 'default' } },
    });
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        if (n % 2) await sdk.generateText(turn(n) as never);
        else for await (const _ of sdk.streamText(turn(n) as never).textStream);
      }),
    );
    await on.recorder.flush();
    for (let n = 0; n < 20; n++)
      expect(on.synap.transcript(conversationUuid('default', { userId: `u${n}` }))).toEqual([
        `user: q${n}`,
        `assistant: Wait. \n\ndone q${n}`,
      ]);
    expect(JSON.stringify(server.requests)).not.toContain('synap');
  });

  it('writes images and files as placeholders, with attachments, and never their bytes', async () => {
    await using t = await recording(major, way, [['Nice']]);
    const messages = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image', image: PNG },
          { type: 'image', image: `data:image/gif;base64,${base64}` },
          { type: 'file', data: pdf, mediaType: 'application/pdf', filename: 'report.pdf' },
        ],
      },
    ];
    await t.sdk.generateText({ model: t.model, messages } as never);
    expect((await t.transcript())[0]).toMatch(
      /^user: Look\n\[image: image\/png\]\n\[image: image\/(gif|png)\]\n\[file: application\/pdf\]$/,
    );
    const attachments = t.synap.stored[0]?.metadata?.attachments;
    expect(attachments).toHaveLength(3);
    expect(attachments).toMatchObject([
      { media_type: 'image/png' },
      {},
      { media_type: 'application/pdf', filename: 'report.pdf' },
    ]);
    for (const bytes of [base64, pdf]) expect(JSON.stringify(t.synap.stored)).not.toContain(bytes.slice(0, 8));
  });

  it('takes a message of nothing but an image', async () => {
    await using t = await recording(major, way, [['A cat']]);
    const messages = [{ role: 'user', content: [{ type: 'image', image: PNG, mediaType: 'image/png' }] }];
    await t.sdk.generateText({ model: t.model, messages } as never);
    expect(await t.transcript()).toEqual(['user: [image: image/png]', 'assistant: A cat']);
  });

  it('takes UI messages through convertToModelMessages', async () => {
    await using t = await recording(major, way, [['Hello']]);
    const ui = [
      { id: '1', role: 'user', parts: [{ type: 'text', text: 'Hi' }] },
      { id: '2', role: 'assistant', parts: [{ type: 'text', text: 'Hello' }] },
      {
        id: '3',
        role: 'user',
        parts: [
          { type: 'text', text: 'Look' },
          { type: 'file', mediaType: 'image/png', url: `data:image/png;base64,${base64}` },
        ],
      },
    ];
    const messages = await t.sdk.convertToModelMessages(ui as never);
    await t.sdk.generateText({ model: t.model, messages });
    expect(await t.transcript()).toEqual(['user: Look\n[image: image/png]', 'assistant: Hello']);
  });

  it('records several messages at the end once each, and after a failure only what is new', async () => {
    await using t = await recording(major, way, (_, call) => (call === 0 ? { refuses: new Error('down') } : ['Yes']));
    const user = (content: string) => ({ role: 'user' as const, content });
    const ask = (...messages: ReturnType<typeof user>[]) =>
      t.sdk.generateText({ model: t.model, messages, maxRetries: 0 });
    await ask(user('Hi')).catch(() => {});
    await ask(user('Hi'), user('Are you there?'));
    expect(await t.transcript()).toEqual(['user: Hi', 'user: Are you there?', 'assistant: Yes']);
  });

  it('takes the identity of the call, of what is around it, of the wrapper, in this order', async () => {
    await using t = await recording(major, way, [['Hello']], { userId: 'wrapper', conversationId: undefined });
    const ask = (synap?: object) =>
      t.sdk.generateText({ model: t.model, prompt: 'Hi', ...(synap && { providerOptions: { synap } }) } as never);
    await ask();
    await t.recorder.withIdentity({ userId: 'around' }, () => ask());
    await t.recorder.withIdentity({ userId: 'around' }, () => ask({ userId: 'call' }));
    await t.recorder.flush();
    expect(t.synap.stored.filter(message => message.role === 'user').map(message => message.user_id)).toEqual([
      'wrapper',
      'around',
      'call',
    ]);
  });
});

describe.each(MAJORS.map((major, index) => ({ major, index, name: major.name })))(
  'wrapAISDK on $name, models',
  ({ major, index }) => {
    it('named by a string are resolved as the SDK does', async () => {
      await using server = await scriptedModel(() => ({ text: 'Hello' }));
      await using on = await recorderOn();
      const provider = providers[index]?.createOpenAICompatible({ name: 'scripted', baseURL: server.url, apiKey: 'k' });
      const global = globalThis as { AI_SDK_DEFAULT_PROVIDER?: unknown };
      global.AI_SDK_DEFAULT_PROVIDER = provider;
      try {
        const { generateText, streamText } = wrapAISDK(major.sdk, on.recorder);
        const providerOptions = { synap: { conversationId: 'c' } };
        await generateText({ model: 'some-model', prompt: 'Hi', providerOptions });
        for await (const _ of streamText({ model: 'some-model', prompt: 'Hi again', providerOptions }).textStream);
      } finally {
        global.AI_SDK_DEFAULT_PROVIDER = undefined;
      }
      await on.recorder.flush();
      expect(on.synap.stored.map(line)).toEqual(['user: Hi', 'assistant: Hello', 'user: Hi again', 'assistant: Hello']);
      expect(on.synap.stored[1]?.metadata).toMatchObject({ model: 'some-model' });
      expect(JSON.stringify(server.requests)).not.toContain('synap');
    });

    it('that no provider knows fail as without us', async () => {
      await using on = await recorderOn();
      const global = globalThis as { AI_SDK_DEFAULT_PROVIDER?: unknown };
      global.AI_SDK_DEFAULT_PROVIDER = {
        languageModel() {
          throw new Error('no such model');
        },
      };
      try {
        const { generateText } = wrapAISDK(major.sdk, on.recorder);
        await expect(generateText({ model: 'nope', prompt: 'Hi' })).rejects.toThrow('no such model');
      } finally {
        global.AI_SDK_DEFAULT_PROVIDER = undefined;
      }
    });
  },
);

describe('ai 7', () => {
  const [, , major] = MAJORS as [never, never, (typeof MAJORS)[2]];

  it('with streamRetries records what the user saw of both attempts', async () => {
    await using t = await recording(major, 'wrapAISDK', (_, call) =>
      call === 0 ? ['Part ', { errorPart: new Error('overloaded') }, { hangs: true }] : ['Whole'],
    );
    let text = '';
    const result = t.sdk.streamText({ model: t.model, prompt: 'Go', streamRetries: 1, onError() {} });
    for await (const piece of result.textStream) text += piece;
    expect(text).toBe('Part Whole');
    expect(await t.transcript()).toEqual(['user: Go', 'assistant: Part Whole']);
  });

  it('with streamRetries and no onError stays as it is', async () => {
    await using t = await recording(major, 'wrapAISDK', (_, call) =>
      call === 0 ? ['Part ', { errorPart: new Error('overloaded') }, { hangs: true }] : ['Whole'],
    );
    const result = t.sdk.streamText({ model: t.model, prompt: 'Go', streamRetries: 1 });
    for await (const _ of result.textStream);
    expect(await t.transcript()).toEqual(['user: Go', 'assistant: Part Whole']);
  });

  it('lets an agent name the conversation in prepareCall', async () => {
    await using t = await recording(major, 'wrapAISDK', [['Hello']], { userId: undefined, conversationId: undefined });
    const agent = new t.sdk.ToolLoopAgent({
      model: t.model,
      callOptionsSchema: z.object({ user: z.string() }),
      prepareCall: ({ options, ...call }) => ({
        ...call,
        providerOptions: { synap: { userId: options.user, conversationId: 'of-prepare' } },
      }),
    });
    await Promise.all(['ada', 'bob'].map(user => agent.generate({ prompt: `I am ${user}`, options: { user } })));
    await t.recorder.flush();
    for (const user of ['ada', 'bob'])
      expect(t.synap.transcript(conversationUuid('of-prepare', { userId: user }))).toEqual([
        `user: I am ${user}`,
        'assistant: Hello',
      ]);
  });

  it('records a tool that waits for approval, and goes on when it is given', async () => {
    await using t = await recording(
      major,
      'wrapAISDK',
      (prompt: { role: string }[]) =>
        (prompt.at(-1)?.role === 'tool' ? ['Deleted.'] : ['I must ask. ', { tool: 'remove' }]) as never,
    );
    const tools = { remove: { inputSchema: z.object({}), needsApproval: true, execute: async () => 'ok' } };
    const first = await t.sdk.generateText({
      model: t.model,
      prompt: 'Delete it',
      tools,
      stopWhen: major.steps(5),
    } as never);
    const request = first.content.find(part => (part.type as string) === 'tool-approval-request') as unknown as {
      approvalId: string;
    };
    const approval = {
      role: 'tool',
      content: [{ type: 'tool-approval-response', approvalId: request.approvalId, approved: true }],
    };
    const messages = [{ role: 'user', content: 'Delete it' }, ...first.response.messages, approval];
    await t.sdk.generateText({ model: t.model, messages, tools, stopWhen: major.steps(5) } as never);
    expect(await t.transcript()).toEqual(['user: Delete it', 'assistant: I must ask. ', 'assistant: Deleted.']);
  });
});
