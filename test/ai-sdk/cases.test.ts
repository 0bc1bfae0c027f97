// The case table: each way of recording, on each major of the AI SDK, with and without a gap between the model's parts.

import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod/v4';
import { turns } from '../support/turns.js';
import { GAPS, MAJORS, type Piece, recording, type Script } from './majors.js';

const WAYS = ['wrapAISDK', 'wrapModel'] as const;
const on = MAJORS.flatMap(major =>
  GAPS.map(gap => ({ major, gap, name: `on ${major.name} with ${gap} between parts` })),
);
const both = WAYS.flatMap(way => on.map(one => ({ ...one, way, name: `${way} ${one.name}` })));
const quiet = { onError() {} };

const tools = {
  weather: {
    description: 'The weather',
    inputSchema: z.object({}),
    execute: async () => 'sunny',
  },
};
const loop: Piece[][] = [
  ['Let me check. ', { tool: 'weather' }],
  ['It is ', 'sunny.'],
];

type AgentClass = new (
  settings: object,
) => Record<'generate' | 'stream', (options: object) => Promise<{ textStream: AsyncIterable<string> }>>;

async function read(stream: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of stream) text += piece;
  return text;
}

describe.each(both)('$name', ({ major, way, gap }) => {
  const on = (script: Script, options = {}) => recording(major, way, script, options, { gap });

  it.each(['generateText', 'streamText'] as const)(
    'records %s, reasoning apart, several text parts as one',
    async fn => {
      await using t = await on([[{ reasoning: 'hm' }, 'Hello ', 'Ada']]);
      const { model } = t;
      if (fn === 'generateText') await t.sdk.generateText({ model, prompt: 'Hi' });
      else await read(t.sdk.streamText({ model, prompt: 'Hi' }).textStream);
      expect(await t.transcript()).toEqual(['user: Hi', 'assistant: Hello Ada']);
      expect(t.synap.stored[1]?.metadata).toMatchObject({
        model: 'asked-model',
        response_model: 'answering-model',
        provider: 'mock',
        input_tokens: 10,
        output_tokens: 5,
        total_tokens: 15,
        cached_input_tokens: 2,
        reasoning_tokens: 1,
        finish_reason: 'stop',
      });
    },
  );

  it.each(['length', 'content-filter'])(
    'records an answer that ended by %s as complete, with its reason',
    async finish => {
      await using t = await on([['Hello', { finish }]]);
      await read(t.sdk.streamText({ model: t.model, prompt: 'Hi' }).textStream);
      expect(await t.transcript()).toEqual(['user: Hi', 'assistant: Hello']);
      expect(t.synap.stored[1]?.metadata?.finish_reason).toBe(finish);
    },
  );

  it.each(['generateText', 'streamText'] as const)('records a tool loop of %s once', async fn => {
    await using t = await on(loop);
    const options = { model: t.model, prompt: 'Weather?', tools, stopWhen: major.steps(5) } as never;
    if (fn === 'generateText') await t.sdk.generateText(options);
    else await read(t.sdk.streamText(options).textStream);
    expect(await t.transcript()).toEqual(['user: Weather?', 'assistant: Let me check. \n\nIt is sunny.']);
    expect(t.synap.stored[1]?.metadata).toMatchObject({
      steps: 2,
      tool_calls: ['weather'],
      input_tokens: 20,
      output_tokens: 10,
    });
  });

  it('records a tool that the provider executes', async () => {
    await using t = await on([['Searching. ', { tool: 'search', providerExecuted: true }, 'Found it.']]);
    await read(t.sdk.streamText({ model: t.model, prompt: 'Find', tools: {} }).textStream);
    expect(await t.transcript()).toEqual(['user: Find', 'assistant: Searching. \n\nFound it.']);
    expect(t.synap.stored[1]?.metadata).toMatchObject({ tool_calls: ['search'] });
  });

  it('records the user once when a refused call is tried again', async () => {
    const refusal = new major.sdk.APICallError({
      message: 'busy',
      url: 'x',
      requestBodyValues: {},
      statusCode: 503,
      responseHeaders: { 'retry-after-ms': '1' },
      isRetryable: true,
    });
    await using t = await on((_, call) => (call === 0 ? { refuses: refusal } : ['Hello']));
    const t0 = t.sdk.streamText({ model: t.model, prompt: 'Hi', maxRetries: 1, ...quiet });
    await read(t0.textStream);
    expect(await t.transcript()).toEqual(['user: Hi', 'assistant: Hello']);
  });

  it('records a stream that breaks with the text so far', async () => {
    await using t = await on([['One ', 'two', { breaks: new Error('socket hang up') }]]);
    const result = t.sdk.streamText({ model: t.model, prompt: 'Count', ...quiet });
    await read(result.textStream).catch(() => {});
    expect(await t.transcript()).toEqual(['user: Count', 'assistant (error): One two']);
    expect(t.synap.stored[1]?.metadata).toMatchObject({ error: 'Error: socket hang up' });
  });

  it('records an error part with the text so far', async () => {
    await using t = await on([['One ', 'two', { errorPart: new Error('overloaded') }, { finish: 'error' }]]);
    await read(t.sdk.streamText({ model: t.model, prompt: 'Count', ...quiet }).textStream).catch(() => {});
    expect(await t.transcript()).toEqual(['user: Count', 'assistant (error): One two']);
    expect(t.synap.stored[1]?.metadata).toMatchObject({ error: 'Error: overloaded' });
  });

  it('records an error part without a finish with the text so far', async () => {
    await using t = await on([['One ', 'two', { errorPart: new Error('overloaded') }, { cut: true }]]);
    await read(t.sdk.streamText({ model: t.model, prompt: 'Count', ...quiet }).textStream).catch(() => {});
    expect(await t.transcript()).toEqual(['user: Count', 'assistant (error): One two']);
  });

  it('records a call that is refused for good as what the user said', async () => {
    await using t = await on([{ refuses: new Error('no') }]);
    await t.sdk.generateText({ model: t.model, prompt: 'Hi', maxRetries: 0 }).catch(() => {});
    await read(t.sdk.streamText({ model: t.model, prompt: 'Hi again', maxRetries: 0, ...quiet }).textStream).catch(
      () => {},
    );
    expect(await t.transcript()).toEqual(['user: Hi', 'user: Hi again']);
  });

  it('records an abort in the first step', async () => {
    await using t = await on([['One ', 'two ', 'three ', { hangs: true }]]);
    const abort = new AbortController();
    let text = '';
    const result = t.sdk.streamText({ model: t.model, prompt: 'Count', abortSignal: abort.signal, ...quiet });
    for await (const piece of result.textStream) {
      text += piece;
      if (text.endsWith('three ')) abort.abort();
      if (abort.signal.aborted) break;
    }
    expect(await t.transcript()).toEqual(['user: Count', 'assistant (aborted): One two three ']);
  });

  it('records an abort in the second step', async () => {
    await using t = await on([
      ['First. ', { tool: 'weather' }],
      ['Second', { hangs: true }],
    ]);
    const abort = new AbortController();
    let text = '';
    const options = {
      model: t.model,
      prompt: 'Go',
      tools,
      stopWhen: major.steps(5),
      abortSignal: abort.signal,
      ...quiet,
    } as never;
    for await (const piece of t.sdk.streamText(options).textStream) {
      text += piece;
      if (text.endsWith('Second')) abort.abort();
      if (abort.signal.aborted) break;
    }
    expect(await t.transcript()).toEqual(['user: Go', 'assistant (aborted): First. \n\nSecond']);
  });

  it('records an abort during a tool', async () => {
    await using t = await on([['First. ', { tool: 'slow' }], ['never']]);
    const abort = new AbortController();
    const slow = {
      inputSchema: z.object({}),
      execute: () => {
        void turns(20).then(() => abort.abort());
        return new Promise((_, reject) => abort.signal.addEventListener('abort', () => reject(new Error('stopped'))));
      },
    };
    const options = {
      model: t.model,
      prompt: 'Go',
      tools: { slow },
      stopWhen: major.steps(5),
      abortSignal: abort.signal,
      ...quiet,
    } as never;
    await read(t.sdk.streamText(options).textStream).catch(() => {});
    expect(await t.transcript()).toEqual(['user: Go', 'assistant (aborted): First. ']);
  });

  it('closes an answer that nobody reads on as abandoned, after the idle time', async () => {
    await using t = await on([['One ', 'two ', 'three']], { idleMs: 100 });
    for await (const _ of t.sdk.streamText({ model: t.model, prompt: 'Count' }).textStream) break;
    await expect.poll(() => t.transcript()).toHaveLength(2);
    const [user, assistant] = await t.transcript();
    expect(user).toBe('user: Count');
    // A model alone can't tell what was read: ai 5 and 6 read it to its end whatever the consumer does.
    if (way === 'wrapAISDK') expect(assistant).toMatch(/^assistant \(abandoned\): One /);
    else expect(assistant).toMatch(/^assistant( \(abandoned\))?: One /);
  });

  it('closes an answer that is under way as abandoned when the recorder closes', async () => {
    await using t = await on([['One ', { hangs: true }]]);
    const stream = t.sdk.streamText({ model: t.model, prompt: 'Count' }).textStream[Symbol.asyncIterator]();
    await stream.next();
    await t.recorder.close();
    expect(await t.transcript()).toEqual(['user: Count', 'assistant (abandoned): One ']);
  });

  it('records the prompt of an answer that nobody reads at all', async () => {
    await using t = await on([['One ', 'two']], { idleMs: 100 });
    t.sdk.streamText({ model: t.model, prompt: 'Count' });
    await expect.poll(() => t.recorder.stats().accepted).toBeGreaterThanOrEqual(1);
    expect((await t.transcript())[0]).toBe('user: Count');
  });

  it('records the message of a user before a prefill, and not that again when the answer goes on', async () => {
    await using t = await on([['world']]);
    const messages = [
      { role: 'user' as const, content: 'Greet' },
      { role: 'assistant' as const, content: 'Hello ' },
    ];
    await t.sdk.generateText({ model: t.model, messages });
    expect(await t.transcript()).toEqual(['user: Greet', 'assistant: world']);
  });

  it('records a regenerated answer under the message it answers', async () => {
    await using t = await on([['First'], ['Second']]);
    const providerOptions = { synap: { messageId: 'm1' } };
    for (let n = 0; n < 2; n++) await t.sdk.generateText({ model: t.model, prompt: 'Hi', providerOptions });
    expect(await t.transcript()).toEqual(['user: Hi', 'assistant: First', 'assistant: Second']);
  });

  it('goes on with the answer when the tool of a client has answered in a later request', async () => {
    const client = { ask: { inputSchema: z.object({}) } } as object;
    await using t = await on([['I need to ask. ', { tool: 'ask' }], ['Thanks.']]);
    await t.sdk.generateText({ model: t.model, prompt: 'Book it', tools: client } as never);
    const output = { type: 'text', value: 'yes' };
    await t.sdk.generateText({
      model: t.model,
      tools: client,
      messages: [
        { role: 'user', content: 'Book it' },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'I need to ask. ' },
            { type: 'tool-call', toolCallId: 'call-1', toolName: 'ask', input: {} },
          ],
        },
        { role: 'tool', content: [{ type: 'tool-result', toolCallId: 'call-1', toolName: 'ask', output }] },
      ],
    } as never);
    const said = (await t.transcript()).map(line => line.replace('assistant: ', ''));
    expect(said[0]).toBe('user: Book it');
    expect(said.slice(1).join('').replace('\n\n', '')).toBe('I need to ask. Thanks.');
  });

  it('keeps the options for synap from the provider', async () => {
    await using t = await on([['Hello']]);
    const providerOptions = { synap: { metadata: { tag: 'a' } }, other: { x: 1 } };
    await t.sdk.generateText({ model: t.model, prompt: 'Hi', providerOptions });
    expect(t.seen.params[0]?.providerOptions).toEqual({ other: { x: 1 } });
    await t.transcript();
    expect(t.synap.stored[0]?.metadata).toMatchObject({ tag: 'a' });
  });

  it('records objects as the text that the model gave', async () => {
    await using t = await on([['{"city":', '"Paris"}']]);
    const schema = z.object({ city: z.string() });
    const { object } = await t.sdk.generateObject({ model: t.model, schema, prompt: 'Where?' });
    expect(object).toEqual({ city: 'Paris' });
    const streamed = t.sdk.streamObject({ model: t.model, schema, prompt: 'Where now?' });
    for await (const _ of streamed.partialObjectStream);
    expect(await t.transcript()).toEqual([
      'user: Where?',
      'assistant: {"city":"Paris"}',
      'user: Where now?',
      'assistant: {"city":"Paris"}',
    ]);
  });

  it('lets the app run when the recorder fails at everything', async () => {
    const boom = () => {
      throw new Error('boom');
    };
    const outbox = {
      durable: false,
      put: boom,
      claim: boom,
      settle: boom,
      stats: boom,
      progress: boom,
      deadLetters: boom,
      replay: boom,
      purge: boom,
      close: boom,
    };
    await using t = await recording(
      major,
      way,
      loop,
      {},
      { redact: boom, outbox, onLoss: boom, logger: { info: boom, warn: boom, error: boom }, gap },
    );
    const options = { model: t.model, prompt: 'Weather?', tools, stopWhen: major.steps(5) } as never;
    expect(await read(t.sdk.streamText(options).textStream)).toBe('Let me check. It is sunny.');
    expect((await t.sdk.generateText({ model: t.model, prompt: 'Hi' })).text).toBe('It is sunny.');
  });
});

describe.each(on)('wrapAISDK $name', ({ major, gap }) => {
  const on = (script: Script, options = {}) => recording(major, 'wrapAISDK', script, options, { gap });

  it('closes a loop that is stopped at a call of a tool', async () => {
    await using t = await on([['Let me check. ', { tool: 'weather' }]]);
    await read(t.sdk.streamText({ model: t.model, prompt: 'Weather?', tools } as never).textStream);
    expect(await t.transcript()).toEqual(['user: Weather?', 'assistant: Let me check. ']);
    expect(t.synap.stored[1]?.metadata).toMatchObject({ finish_reason: 'tool-calls', status: 'complete' });
  });

  it('is not misled by a prepareStep that rewrites the messages', async () => {
    await using t = await on(loop);
    await t.sdk.generateText({
      model: t.model,
      prompt: 'Weather?',
      tools,
      stopWhen: major.steps(5),
      prepareStep: () => ({ messages: [{ role: 'user', content: 'Summary of all this' }] }),
    } as never);
    expect(await t.transcript()).toEqual(['user: Weather?', 'assistant: Let me check. \n\nIt is sunny.']);
  });

  it('records a model that prepareStep puts in', async () => {
    await using t = await on(loop);
    await t.sdk.generateText({
      model: t.model,
      prompt: 'Weather?',
      tools,
      stopWhen: major.steps(5),
      prepareStep: () => ({ model: t.model }),
    } as never);
    expect(await t.transcript()).toEqual(['user: Weather?', 'assistant: Let me check. \n\nIt is sunny.']);
  });

  it('records what came out of a transform, never what went in, on abort too', async () => {
    const redact = () => () =>
      new TransformStream({
        transform(part, controller) {
          controller.enqueue(
            part.type === 'text-delta' ? { ...part, text: part.text.replaceAll('secret', '***') } : part,
          );
        },
      });
    await using t = await on([['a secret ', 'and another secret', { hangs: true }]]);
    const abort = new AbortController();
    let text = '';
    const result = t.sdk.streamText({
      model: t.model,
      prompt: 'Tell',
      experimental_transform: redact() as never,
      abortSignal: abort.signal,
    });
    for await (const piece of result.textStream) {
      text += piece;
      if (text.endsWith('another ***')) abort.abort();
      if (abort.signal.aborted) break;
    }
    expect(await t.transcript()).toEqual(['user: Tell', 'assistant (aborted): a *** and another ***']);
  });

  it('reads an answer to its end with consumeStream, and the callbacks of the app run', async () => {
    await using t = await on([['One ', 'two ', 'three']], { consumeStream: true });
    const onFinish = vi.fn();
    for await (const _ of t.sdk.streamText({ model: t.model, prompt: 'Count', onFinish }).textStream) break;
    await expect.poll(() => onFinish.mock.calls.length).toBe(1);
    expect(await t.transcript()).toEqual(['user: Count', 'assistant: One two three']);
  });

  it('records agents', async () => {
    for (const way of ['generate', 'stream'] as const) {
      await using t = await on(loop);
      const { ToolLoopAgent, Experimental_Agent } = t.sdk as unknown as { [name: string]: AgentClass };
      const Agent = ToolLoopAgent ?? (Experimental_Agent as AgentClass);
      const finished = vi.fn();
      const agent = new Agent({ model: t.model, tools, stopWhen: major.steps(5), onFinish: finished });
      const result = await agent[way]({ prompt: 'Weather?' });
      if (way === 'stream') expect(await read(result.textStream)).toBe('Let me check. It is sunny.');
      if (way === 'stream') expect(finished).toHaveBeenCalledOnce();
      expect(await t.transcript(), way).toEqual(['user: Weather?', 'assistant: Let me check. \n\nIt is sunny.']);
      expect(t.synap.stored[1]?.metadata).toMatchObject({ steps: 2, tool_calls: ['weather'] });
    }
  });

  it('treats a call inside a tool as internal, at any depth, and as a turn when it has an identity', async () => {
    await using t = await on(((prompt: { role: string; content: unknown }[]) => {
      const last = prompt.at(-1);
      if (last?.role === 'tool') return ['Done'];
      return JSON.stringify(last?.content).includes('inner') ? ['inner answer'] : [{ tool: 'ask' }];
    }) as never);
    const deeper = {
      ask: {
        inputSchema: z.object({}),
        execute: async () => (await t.sdk.generateText({ model: t.model, prompt: 'inner, deepest' })).text,
      },
    };
    const ask = {
      inputSchema: z.object({}),
      execute: async () => {
        await t.sdk.generateText({
          model: t.model,
          prompt: 'go deeper',
          tools: deeper,
          stopWhen: major.steps(3),
        } as never);
        await read(t.sdk.streamText({ model: t.model, prompt: 'inner' }).textStream);
        const providerOptions = { synap: { conversationId: 'own' } };
        await t.sdk.generateText({ model: t.model, prompt: 'inner, own', providerOptions });
        return 'ok';
      },
    };
    for (const fn of ['generateText', 'streamText'] as const) {
      const options = { model: t.model, prompt: 'Go', tools: { ask }, stopWhen: major.steps(3) } as never;
      if (fn === 'generateText') await t.sdk.generateText(options);
      else await read(t.sdk.streamText(options).textStream);
    }
    const turn = ['user: Go', 'user: inner, own', 'assistant: inner answer', 'assistant: Done'];
    expect(await t.transcript()).toEqual([...turn, ...turn]);
  });

  it('gives the text with Output.object', async () => {
    await using t = await on([['{"city":', '"Paris"}']]);
    const output = t.sdk.Output.object({ schema: z.object({ city: z.string() }) });
    const result = t.sdk.streamText({ model: t.model, prompt: 'Where?', output, experimental_output: output } as never);
    await read(result.textStream);
    expect(await t.transcript()).toEqual(['user: Where?', 'assistant: {"city":"Paris"}']);
  });

  it('writes errors to the console when the app has no onError, as the SDK does', async () => {
    const console_ = vi.spyOn(console, 'error').mockImplementation(() => {});
    await using t = await on([{ refuses: new Error('no') }]);
    await read(t.sdk.streamText({ model: t.model, prompt: 'Hi', maxRetries: 0 }).textStream).catch(() => {});
    expect(console_).toHaveBeenCalledOnce();
    expect(console_.mock.calls[0]?.[0]).toMatchObject({ message: 'no' });
    console_.mockRestore();
  });
});
