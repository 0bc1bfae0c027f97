// What must not be mixed: users, recorders, turns; and idle times of slow models.

import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as z from 'zod/v4';
import { wrapAISDK, wrapModel } from '../../src/ai-sdk/index.js';
import { conversationUuid } from '../../src/index.js';
import { recorderOn } from '../support/recorder.js';
import { turns } from '../support/turns.js';
import { line, MAJORS, type Major, mockModel, recording } from './majors.js';

const WAYS = ['wrapAISDK', 'wrapModel'] as const;
const both = MAJORS.flatMap(major => WAYS.map(way => ({ major, way, name: `${way} on ${major.name}` })));
const nobody = { userId: undefined, conversationId: undefined };

describe.each(both)('$name keeps apart', ({ major, way }) => {
  it('the answers to two users of the same words, when the first one’s call was refused', async () => {
    const busy = new major.sdk.APICallError({ message: 'busy', url: 'x', requestBodyValues: {}, isRetryable: true });
    await using t = await recording(major, way, (_, call) => (call === 0 ? { refuses: busy } : ['For bob']), nobody);
    const ask = (userId: string) =>
      t.recorder.withIdentity({ userId, conversationId: 'c' }, () =>
        t.sdk.generateText({ model: t.model, prompt: 'Hi', maxRetries: 0 }),
      );
    await ask('alice').catch(() => {});
    await ask('bob');
    await t.recorder.flush();
    const of = (userId: string) => t.synap.transcript(conversationUuid('c', { userId }));
    expect(of('alice')).toEqual(['user: Hi']);
    expect(of('bob')).toEqual(['user: Hi', 'assistant: For bob']);
  });

  it('the tool loops of users who are known only from around the call', async () => {
    await using t = await recording(
      major,
      way,
      ((prompt: { role: string; content: unknown }[]) =>
        prompt.at(-1)?.role === 'tool'
          ? [`done ${JSON.stringify(prompt).match(/q\d/)?.[0]}`]
          : [{ tool: 'slow', id: 'call-1' }]) as never,
      nobody,
    );
    const slow = { inputSchema: z.object({}), execute: () => turns(Math.random() * 30).then(() => 'ok') };
    const ask = (n: number) =>
      t.recorder.withIdentity({ userId: `u${n}`, conversationId: 'c' }, () =>
        t.sdk.generateText({ model: t.model, prompt: `q${n}`, tools: { slow }, stopWhen: major.steps(3) } as never),
      );
    await Promise.all(Array.from({ length: 8 }, (_, n) => ask(n)));
    await t.recorder.flush();
    for (let n = 0; n < 8; n++)
      expect(t.synap.transcript(conversationUuid('c', { userId: `u${n}` }))).toEqual([
        `user: q${n}`,
        `assistant: done q${n}`,
      ]);
  });

  it('two recorders, each of which records all of it', async () => {
    await using other = await recorderOn();
    await using t = await recording(major, way, [['Hello']]);
    const sdk = wrapAISDK(t.sdk, other.recorder);
    await sdk.generateText({ model: t.model, prompt: 'Hi' });
    expect(await t.transcript()).toEqual(['user: Hi', 'assistant: Hello']);
    await other.recorder.flush();
    expect(other.synap.stored.map(line)).toEqual(['user: Hi', 'assistant: Hello']);
  });
});

describe.each(MAJORS.map(major => ({ major, name: major.name })))('on $name', ({ major }) => {
  it('a model of another user does not bring its user into the conversation of the wrapper', async () => {
    await using on = await recorderOn(undefined, { userId: undefined });
    const { model } = mockModel(major, [['Hello']]);
    const sdk = wrapAISDK(major.sdk, on.recorder, { userId: 'ada', conversationId: 'of-ada' });
    await sdk.generateText({
      model: wrapModel(model as object, on.recorder, { userId: 'bob' }) as never,
      prompt: 'Hi',
    });
    await on.recorder.flush();
    expect(on.synap.stored.map(message => message.user_id)).toEqual(['bob', 'bob']);
    expect(on.synap.stored[0]?.conversation_id).not.toBe(conversationUuid('of-ada', { userId: 'ada' }));
  });

  it('wrapping twice for one recorder records once', async () => {
    await using t = await recording(major, 'wrapAISDK', [['Hello']]);
    const twice = wrapAISDK(t.sdk, t.recorder);
    expect(twice.generateText).toBe(t.sdk.generateText);
    await twice.generateText({ model: t.model, prompt: 'Hi' });
    expect(await t.transcript()).toEqual(['user: Hi', 'assistant: Hello']);
  });

  it('what the user says next comes after the answer of a bare model’s loop that the app has stopped', async () => {
    await using t = await recording(major, 'wrapModel', [['Let me look. ', { tool: 'look' }], ['Done.']]);
    const tools = { look: { inputSchema: z.object({}), execute: async () => 'ok' } };
    await t.sdk.generateText({ model: t.model, prompt: 'Look', tools } as never);
    await t.sdk.generateText({ model: t.model, prompt: 'And?' });
    expect(await t.transcript()).toEqual(['user: Look', 'assistant: Let me look. ', 'user: And?', 'assistant: Done.']);
  });

  it('a loop of a bare model whose second step is refused is recorded as failed', async () => {
    await using t = await recording(major, 'wrapModel', (_, call) =>
      call === 0 ? ['First. ', { tool: 'look' }] : { refuses: new Error('no') },
    );
    const tools = { look: { inputSchema: z.object({}), execute: async () => 'ok' } };
    await t.sdk
      .generateText({ model: t.model, prompt: 'Look', tools, stopWhen: major.steps(3), maxRetries: 0 } as never)
      .catch(() => {});
    expect(await t.transcript()).toEqual(['user: Look', 'assistant (error): First. ']);
  });
});

interface SlowModel {
  doGenerate(options: object): Promise<object>;
  doStream(options: object): Promise<{ stream: ReadableStream<{ type: string }> }>;
}

/**
 * A model in the middle of whose work more than its idle time goes by: before it answers, or before its first word.
 * Nothing else takes any time.
 */
async function slowly(major: Major, way: (typeof WAYS)[number]) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const wait = async () => {
    await turns();
    vi.advanceTimersByTime(200_000);
    await turns();
  };
  const plain = mockModel(major, [['Hello']]).model as SlowModel;
  const slow: SlowModel = {
    async doGenerate(options) {
      await wait();
      return plain.doGenerate(options);
    },
    async doStream(options) {
      const { stream, ...rest } = await plain.doStream(options);
      const late = new TransformStream<{ type: string }>({
        async transform(part, controller) {
          if (part.type === 'text-start') await wait();
          controller.enqueue(part);
        },
      });
      return { ...rest, stream: stream.pipeThrough(late) };
    },
  };
  const model = new Proxy(plain, {
    get: (target, name) => Reflect.get(name in slow ? slow : target, name),
  });
  const on = await recorderOn();
  const options = { userId: 'ada', conversationId: 'c', idleMs: 60_000 };
  return {
    on,
    sdk: way === 'wrapAISDK' ? wrapAISDK(major.sdk, on.recorder, options) : major.sdk,
    model: (way === 'wrapAISDK' ? model : wrapModel(model, on.recorder, options)) as never,
    async transcript() {
      await on.recorder.flush();
      return on.synap.stored.map(line);
    },
    [Symbol.asyncDispose]: () => on[Symbol.asyncDispose](),
  };
}

describe.each(both)('$name, idle times', ({ major, way }) => {
  it('do not count while a model has not answered', async () => {
    await using t = await slowly(major, way);
    await t.sdk.generateText({ model: t.model, prompt: 'Hi' });
    expect(await t.transcript()).toEqual(['user: Hi', 'assistant: Hello']);
  });

  it('let a first word come late', async () => {
    await using t = await slowly(major, way);
    for await (const _ of t.sdk.streamText({ model: t.model, prompt: 'Hi' }).textStream);
    expect(await t.transcript()).toEqual(['user: Hi', 'assistant: Hello']);
  });
});

describe('prompts', () => {
  const [, , major] = MAJORS as [never, never, (typeof MAJORS)[2]];

  it('may end with instructions of the system', async () => {
    await using t = await recording(major, 'wrapAISDK', [['Bonjour']]);
    const messages = [
      { role: 'user' as const, content: 'Hi' },
      { role: 'system' as const, content: 'Answer in French' },
    ];
    await t.sdk.generateText({ model: t.model, messages, allowSystemInMessages: true });
    expect(await t.transcript()).toEqual(['user: Hi', 'assistant: Bonjour']);
  });

  it('may say the same twice', async () => {
    await using t = await recording(major, 'wrapAISDK', [['Yes']]);
    const messages = ['ok', 'hm', 'ok'].map(content => ({ role: 'user' as const, content }));
    await t.sdk.generateText({ model: t.model, messages });
    expect(await t.transcript()).toEqual(['user: ok', 'user: hm', 'user: ok', 'assistant: Yes']);
  });

  it('of calls after close() are counted as lost', async () => {
    await using t = await recording(major, 'wrapAISDK', [['Late']]);
    await t.recorder.close();
    expect((await t.sdk.generateText({ model: t.model, prompt: 'Hi' })).text).toBe('Late');
    expect(t.recorder.stats().refused).toEqual({ recorder_closed: 2 });
  });

  it('of agents that are not recorded are not read to their end with consumeStream', async () => {
    const words = [Array.from({ length: 100 }, (_, n) => `${n} `)];
    await using t = await recording(major, 'wrapAISDK', words, { consumeStream: true });
    const agent = new t.sdk.ToolLoopAgent({ model: t.model, providerOptions: { synap: { record: false } } });
    await agent.stream({ prompt: 'Count' });
    await turns();
    expect(t.seen.pulled).toBeLessThan(50);
  });
});
