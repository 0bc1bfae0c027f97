import { setTimeout as sleep } from 'node:timers/promises';
import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import type { CallbackManager } from '@langchain/core/callbacks/manager';
import { type AIMessage, HumanMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { RunnableLambda } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import { createAgent } from 'langchain';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { conversationUuid, createRecorder, InvalidInputError } from '../../src/index.js';
import { SynapCallbackHandler } from '../../src/langchain/index.js';
import { drain, handlerOn, ScriptedModel } from './support.js';

const prompt = ChatPromptTemplate.fromTemplate('Question: {question}');
const chain = (from = new ScriptedModel(['Hello Ada'])) => prompt.pipe(from).pipe(new StringOutputParser());
const weather = tool(async () => 'sunny', { name: 'weather', description: 'w', schema: z.object({}) });

describe('runs', () => {
  it('of many users through one handler stay apart', async () => {
    await using on = await handlerOn();
    const agent = createAgent({
      model: new ScriptedModel(messages =>
        messages.at(-1)?.getType() === 'tool'
          ? `Sunny for ${messages[0]?.text}`
          : { text: 'Let me check.', toolCalls: [{ name: 'weather', id: messages[0]?.text ?? '' }] },
      ),
      tools: [weather],
    });
    const users = Array.from({ length: 20 }, (_, index) => `user-${index}`);
    await Promise.all(
      users.flatMap(user => {
        const config = (conversation_id: string) => ({ ...on.config, metadata: { user_id: user, conversation_id } });
        return [
          agent
            .stream({ messages: [new HumanMessage(user)] }, { ...config('agent'), streamMode: 'messages' })
            .then(stream => drain<unknown>(stream)),
          drain(chain().stream({ question: user }, config('chain'))),
        ];
      }),
    );
    await on.recorder.flush();
    for (const user of users) {
      expect(on.synap.transcript(conversationUuid('agent', { userId: user }))).toEqual([
        `user: ${user}`,
        `assistant: Sunny for ${user}`,
      ]);
      expect(on.synap.transcript(conversationUuid('chain', { userId: user }))).toEqual([
        `user: ${user}`,
        'assistant: Hello Ada',
      ]);
    }
    expect(on.handler.openRuns).toBe(0);
  });

  it('are recorded once when the handler is given to the model and to the call', async () => {
    await using on = await handlerOn();
    const model = new ScriptedModel(['Hello Ada'], on.config);
    await drain(model.stream('Hi', on.config));
    await drain(chain(model).stream({ question: 'Why?' }, on.config));
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hello Ada', 'user: Why?', 'assistant: Hello Ada']);
  });

  it('are recorded once when every event is told twice, as core 0.3 does', async () => {
    await using on = await handlerOn();
    const { handler } = on;
    const twice = (tell: () => void) => [tell(), tell()];
    twice(() => handler.handleChainStart({}, { question: 'Why?' }, 'root'));
    twice(() => handler.handleChatModelStart({}, [[new HumanMessage('Q')]], 'call', 'root'));
    for (const token of ['Be', 'cau'])
      twice(() => handler.handleLLMNewToken(token, { prompt: 0, completion: 0 }, 'call'));
    twice(() => handler.handleLLMError(new Error('overloaded'), 'call'));
    twice(() => handler.handleChainError(new Error('overloaded'), 'root'));
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant (error): Becau']);
    expect(handler.openRuns).toBe(0);
  });

  it('are roots under another tracer’s run, which this handler knows nothing of', async () => {
    await using on = await handlerOn();
    class Tracer extends BaseCallbackHandler {
      name = 'tracer';
    }
    const outer = RunnableLambda.from(async (question: string, config) => {
      const { callbacks: manager } = config as unknown as { callbacks: CallbackManager };
      const callbacks = manager.copy([on.handler]);
      return chain().invoke({ question }, { callbacks });
    });
    await outer.invoke('Why?', { callbacks: [new Tracer()] });
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Hello Ada']);
    expect(on.handler.openRuns).toBe(0);
  });

  it('find their parent wherever LangChain puts it among the arguments', async () => {
    await using on = await handlerOn();
    const { handler } = on;
    handler.handleChainStart({}, { question: 'Why?' }, 'root', 'chain', [], {}, 'Graph');
    handler.handleChainStart({}, { question: 'Inner?' }, 'moved', 'chain', [], {}, 'node', 'root');
    handler.handleChainStart({}, { question: 'Inner?' }, 'usual', 'root', [], {}, 'chain', 'node');
    handler.handleChainEnd({ output: 'inner' }, 'usual');
    handler.handleChainEnd({ output: 'inner' }, 'moved');
    handler.handleChainEnd({ output: 'Because.' }, 'root');
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Because.']);
  });

  it.each([
    ['by a mark', {}, { lc_defers_inputs: true }],
    ['by an empty input alone, as core 0.3 does', { input: '' }, undefined],
  ])('get a deferred input at their end, which is told %s', async (_, input, extra) => {
    await using on = await handlerOn();
    const { handler } = on;
    handler.handleChainStart({}, input, 'root', undefined, [], {}, undefined, 'Lambda', extra);
    handler.handleChatModelStart({}, [[new HumanMessage('A template')]], 'call', 'root');
    handler.handleLLMEnd({ generations: [[{ text: 'Because.' }]] }, 'call');
    await sleep(20);
    handler.handleChainEnd({ output: 'Because.' }, 'root', undefined, [], { inputs: { input: 'Why?' } });
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Because.']);
    expect(on.synap.stored[1]?.metadata?.latency_ms).toBeGreaterThanOrEqual(19);
  });

  it('that start inside an ended one are no turns of their own', async () => {
    await using on = await handlerOn();
    const ended = Promise.withResolvers<void>();
    let title: Promise<AIMessage> | undefined;
    const titles = new ScriptedModel(['A title']);
    const app = RunnableLambda.from(async (question: string, config) => {
      title = ended.promise.then(() => titles.invoke(`Name this: ${question}`, config)) as Promise<AIMessage>;
      return 'Because.';
    });
    await app.invoke('Why?', on.config);
    ended.resolve();
    await title;
    expect(titles.prompts).toHaveLength(1);
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Because.']);
    expect(on.handler.openRuns).toBe(0);
  });

  it('take their id from config.runId, so that a retry of the app is the same turn', async () => {
    await using on = await handlerOn();
    const config = { ...on.config, runId: '0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e' };
    const flaky = chain(new ScriptedModel([{ error: new Error('overloaded') }, 'Hello Ada'], { maxRetries: 0 }));
    await expect(flaky.invoke({ question: 'Why?' }, config)).rejects.toThrow();
    await flaky.invoke({ question: 'Why?' }, config);
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Hello Ada']);
    expect(on.synap.stored.map(message => message.metadata?.message_key)).toEqual([
      expect.stringMatching(`:${config.runId}:user:0$`),
      expect.stringMatching(`:${config.runId}:assistant$`),
    ]);
  });

  it('beyond eight thousand at once push out the one that was idle for longest', async () => {
    await using on = await handlerOn({}, { batch: { lingerMs: 60_000 } });
    for (let index = 0; index <= 10_000; index++)
      on.handler.handleChatModelStart({}, [[new HumanMessage('Hi')]], `run-${index}`);
    expect(on.handler.openRuns).toBeGreaterThan(7500);
    expect(on.handler.openRuns).toBeLessThanOrEqual(8000);
    on.handler.close();
    expect(on.handler.openRuns).toBe(0);
  });
});

describe('the app', () => {
  it('gets the same results, chunks and errors with the handler as without', async () => {
    await using on = await handlerOn();
    const outcomes = async (config: object) => {
      const model = new ScriptedModel([{ text: 'Hello Ada', id: 'm1', usage: { input_tokens: 3, output_tokens: 2 } }]);
      const broken = new ScriptedModel([{ text: 'Hel lo', error: new Error('overloaded') }], { maxRetries: 0 });
      const chunks: string[] = [];
      let error: unknown;
      try {
        for await (const chunk of await chain(broken).stream({ question: 'Why?' }, config)) chunks.push(chunk);
      } catch (thrown) {
        error = thrown;
      }
      return {
        invoked: await chain(model).invoke({ question: 'Why?' }, config),
        streamed: await drain(chain(model).stream({ question: 'Why?' }, config)),
        message: (await prompt.pipe(model).invoke({ question: 'Why?' }, config)).toDict(),
        chunks,
        error: String(error),
      };
    };
    expect(await outcomes(on.config)).toEqual(await outcomes({}));
  });

  it('gets the same results from a recorder that can’t record', async () => {
    const recorder = createRecorder({ enabled: false });
    const handler = new SynapCallbackHandler(recorder, { logger: false });
    expect(await chain().invoke({ question: 'Why?' }, { callbacks: [handler] })).toBe('Hello Ada');
    expect(handler.openRuns).toBe(0);
  });

  it('never hears of an input that can’t be read', async () => {
    await using on = await handlerOn();
    const hostile = {
      get messages(): never {
        throw new Error('do not look');
      },
    };
    const result = await RunnableLambda.from((_: object) => 'Fine').invoke(hostile, on.config);
    expect(result).toBe('Fine');
    expect(on.handler.openRuns).toBe(0);
    expect(on.notices.join()).not.toContain('do not look');
  });

  it('learns at once of an option that is wrong', async () => {
    await using on = await handlerOn();
    for (const options of [{ idleMs: 0 }, { inputKey: '' }, { selectInput: 'question' as never }])
      expect(() => new SynapCallbackHandler(on.recorder, options)).toThrow(InvalidInputError);
  });

  it('may copy the handler, and still has one', async () => {
    await using on = await handlerOn();
    expect(on.handler.copy()).toBe(on.handler);
    expect(on.handler).toMatchObject({ awaitHandlers: true, raiseError: false });
  });
});
