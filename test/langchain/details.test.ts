import { AIMessage, AIMessageChunk, HumanMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { RunnableLambda } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import { MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ChatOpenAI } from '@langchain/openai';
import { createAgent } from 'langchain';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type ModelScript, scriptedModel } from '../support/scripted-model.js';
import { drain, handlerOn, isOldCore, type On, ScriptedModel } from './support.js';

const prompt = ChatPromptTemplate.fromTemplate('Question: {question}');
const weather = tool(async () => 'sunny', { name: 'weather', description: 'w', schema: z.object({}) });
const hi = { messages: [new HumanMessage('Weather?')] };

async function openAI(script: ModelScript) {
  const server = await scriptedModel(script);
  const fields = { model: 'gpt-5', apiKey: 'k', maxRetries: 0, configuration: { baseURL: server.url } };
  return { model: new ChatOpenAI({ ...fields, useResponsesApi: false }), [Symbol.asyncDispose]: () => server.close() };
}

/** The metadata of the answer. */
async function answerOf(on: On) {
  await on.recorder.flush();
  return on.synap.stored.find(message => message.role === 'assistant')?.metadata;
}

describe('an answer of OpenAI’s', () => {
  it.each<[string, (model: ChatOpenAI, on: On) => Promise<unknown>]>([
    ['invoked', (model, { config }) => model.invoke('Hi', config)],
    ['streamed', (model, { config }) => drain(model.stream('Hi', config))],
    [
      'streamed through a chain',
      (model, { config }) =>
        drain(prompt.pipe(model).pipe(new StringOutputParser()).stream({ question: 'Hi' }, config)),
    ],
    [
      'streamed by an agent, v3',
      async (model, { config }) =>
        drain(
          await createAgent({ model, tools: [] }).streamEvents(
            { messages: [new HumanMessage('Hi')] },
            { ...config, version: 'v3' },
          ),
        ),
    ],
  ])('%s, says which model it was, how many tokens it took, and how it ended', async (name, run) => {
    if (isOldCore && name.endsWith('v3')) return; // there is no v3
    await using server = await openAI(() => ({ text: ['Hello', ' Ada'], model: 'gpt-5-2026' }));
    await using on = await handlerOn();
    await run(server.model, on);
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hello Ada']);
    const metadata = await answerOf(on);
    expect(metadata).toMatchObject({
      framework: 'langchain',
      model: 'gpt-5',
      response_model: 'gpt-5-2026',
      provider: 'openai',
      input_tokens: 10,
      output_tokens: 5,
      total_tokens: 15,
      finish_reason: 'stop',
      status: 'complete',
      steps: 1,
    });
    expect(metadata).not.toHaveProperty('tool_calls');
    expect('time_to_first_token_ms' in (metadata ?? {})).toBe(name !== 'invoked');
  });

  it('after a tool, sums up its steps, tokens and tools', async () => {
    await using server = await openAI((_, index) =>
      index === 0
        ? { text: 'Let me check.', toolCalls: [{ name: 'weather', arguments: {} }] }
        : { text: 'It is sunny.' },
    );
    await using on = await handlerOn();
    const agent = createAgent({ model: server.model, tools: [weather] });
    await drain<unknown>(await agent.stream(hi, { ...on.config, streamMode: 'messages' }));
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
    expect(await answerOf(on)).toMatchObject({
      steps: 2,
      input_tokens: 20,
      output_tokens: 10,
      tool_calls: ['weather'],
      finish_reason: 'stop',
    });
  });

  it('that breaks off is recorded as far as it came', async () => {
    await using server = await openAI(() => ({ text: ['Hel', 'lo ', 'Ada'], breakAfter: 2, delayMs: 5 }));
    await using on = await handlerOn();
    let received = '';
    const reading = async () => {
      for await (const chunk of await server.model.stream('Hi', on.config)) received += chunk.text;
    };
    await expect(reading()).rejects.toThrow();
    expect(received).toMatch(/^Hel/);
    expect(await on.transcript()).toEqual(['user: Hi', `assistant (error): ${received}`]);
  });

  it('that is asked for twice (n = 2) is the first', async () => {
    await using on = await handlerOn();
    const { handler } = on;
    handler.handleChatModelStart({}, [[new HumanMessage('Hi')]], 'run');
    handler.handleChatModelStart({}, [[new HumanMessage('Hi again')]], 'broken');
    for (const run of ['run', 'broken']) {
      handler.handleLLMNewToken('He', { prompt: 0, completion: 0 }, run);
      handler.handleLLMNewToken('Yo', { prompt: 0, completion: 1 }, run);
    }
    const generation = (text: string) => ({ text, message: new AIMessage(text) });
    handler.handleLLMEnd({ generations: [[generation('Hello'), generation('Yo')]] }, 'run');
    handler.handleLLMError(new Error('overloaded'), 'broken');
    expect(await on.transcript()).toEqual(['user: Hi', 'user: Hi again', 'assistant: Hello', 'assistant (error): He']);
  });
});

describe('what is known of an answer', () => {
  it('comes from the model that gave it, and not from a router before it', async () => {
    await using on = await handlerOn();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('route', async ({ messages }) => {
        await new ScriptedModel([{ text: 'weather', usage: { input_tokens: 1, output_tokens: 1 } }]).invoke(messages);
        return {};
      })
      .addNode('answer', async ({ messages }) => {
        const answerer = new ScriptedModel([{ text: 'It is sunny.', usage: { input_tokens: 5, output_tokens: 2 } }]);
        answerer.getLsParams = () => ({ ls_model_type: 'chat', ls_provider: 'scripted', ls_model_name: 'answerer' });
        return { messages: [await answerer.invoke(messages)] };
      })
      .addEdge(START, 'route')
      .addEdge('route', 'answer')
      .compile();
    await graph.invoke(hi, on.config);
    expect(await answerOf(on)).toMatchObject({ model: 'answerer', steps: 2, input_tokens: 6, output_tokens: 3 });
  });

  it.each<[name: string, change: (text: string) => string, answer: string]>([
    ['stripped', text => text.trim(), 'Write to ada@example.com, Ada.'],
    ['upper-cased', text => text.toUpperCase(), ' WRITE TO ADA@EXAMPLE.COM, ADA. '],
    ['masked', text => text.replace(/\S+@\S+/, '[EMAIL]'), ' Write to [EMAIL] Ada. '],
    ['taken out of the rest', text => text.slice(0, 26), ' Write to ada@example.com,'],
  ])('comes from the model whose text was %s', async (_, change, answer) => {
    await using on = await handlerOn();
    const model = new ScriptedModel([' Write to ada@example.com, Ada. ']);
    const chain = prompt.pipe(model).pipe(new StringOutputParser()).pipe(RunnableLambda.from(change));
    await chain.invoke({ question: 'Hi' }, on.config);
    expect(await on.transcript()).toEqual(['user: Hi', `assistant: ${answer}`]);
    expect(await answerOf(on)).toMatchObject({ model: 'scripted-1', provider: 'scripted', finish_reason: 'stop' });
  });

  it('comes from the model whose message an agent has changed', async () => {
    await using on = await handlerOn();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('answer', async ({ messages }) => ({
        messages: [await new ScriptedModel([{ text: '1234', id: 'a' }]).invoke(messages)],
      }))
      .addNode('mask', async () => ({ messages: [new AIMessage({ id: 'a', content: '[MASKED]' })] }))
      .addEdge(START, 'answer')
      .addEdge('answer', 'mask')
      .compile();
    await graph.invoke(hi, on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: [MASKED]']);
    expect(await answerOf(on)).toMatchObject({ model: 'scripted-1', finish_reason: 'stop' });
  });

  it('says nothing of a model when no model wrote it', async () => {
    await using on = await handlerOn();
    const canned = RunnableLambda.from(async (question: string, config) => {
      await new ScriptedModel(['greeting']).invoke(question, config);
      return 'Hello there!';
    });
    await canned.invoke('Hi', on.config);
    const metadata = await answerOf(on);
    expect(metadata).toMatchObject({ steps: 1 });
    for (const field of ['model', 'response_model', 'provider', 'finish_reason'])
      expect(metadata).not.toHaveProperty(field);
  });

  it('counts no tokens of a cache', async () => {
    await using on = await handlerOn();
    const { handler } = on;
    handler.handleChatModelStart({}, [[new HumanMessage('Hi')]], 'run');
    const message = new AIMessage({
      content: 'Hello',
      usage_metadata: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
    });
    handler.handleLLMEnd({ generations: [[{ text: 'Hello', message }]] }, 'run', undefined, [], { cached: true });
    expect(await answerOf(on)).not.toHaveProperty('input_tokens');
  });

  it('takes older models’ count of tokens, and never an estimate', async () => {
    await using on = await handlerOn();
    const end = (id: string, llmOutput: object) => {
      on.handler.handleChatModelStart({}, [[new HumanMessage('Hi')]], id);
      on.handler.handleLLMEnd({ generations: [[{ text: 'Hello', message: new AIMessage('Hello') }]], llmOutput }, id);
    };
    end('old', { tokenUsage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } });
    end('guess', { estimatedTokenUsage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } });
    await on.recorder.flush();
    const [, old, , guess] = on.synap.stored;
    expect(old?.metadata).toMatchObject({ input_tokens: 3, output_tokens: 2, total_tokens: 5 });
    expect(guess?.metadata).not.toHaveProperty('input_tokens');
  });

  it.each<[string, (on: On) => void, boolean]>([
    ['an empty token', ({ handler }) => handler.handleLLMNewToken('', { prompt: 0, completion: 0 }, 'run'), false],
    ['a text', ({ handler }) => handler.handleLLMNewToken('He', { prompt: 0, completion: 0 }, 'run'), true],
    ['a piece of reasoning', on => chunk(on, { content: '', additional_kwargs: { reasoning_content: 'Hm' } }), true],
    ['a block of reasoning', on => chunk(on, { content: [{ type: 'reasoning', reasoning: 'Hm' }] }), true],
    ['a call of a tool', on => chunk(on, { content: '', tool_call_chunks: [{ name: 'w', args: '', index: 0 }] }), true],
    ['an empty chunk', on => chunk(on, { content: '' }), false],
    ['the start of a message', on => event(on, { event: 'message-start' }), false],
    [
      'the start of a text',
      on => event(on, { event: 'content-block-start', content: { type: 'text', text: '' } }),
      false,
    ],
    [
      'a piece of text',
      on => event(on, { event: 'content-block-delta', delta: { type: 'text-delta', text: 'He' } }),
      true,
    ],
    [
      'thinking',
      on => event(on, { event: 'content-block-delta', delta: { type: 'reasoning-delta', reasoning: 'H' } }),
      true,
    ],
  ])('has a time to its first token after %s, if that says anything', async (_, tell, counts) => {
    await using on = await handlerOn();
    on.handler.handleChatModelStart({}, [[new HumanMessage('Hi')]], 'run');
    tell(on);
    on.handler.handleLLMEnd({ generations: [[{ text: 'Hello', message: new AIMessage('Hello') }]] }, 'run');
    expect('time_to_first_token_ms' in ((await answerOf(on)) ?? {})).toBe(counts);
  });

  it('leaves out what a tool’s model took, and the time to its first token', async () => {
    await using on = await handlerOn();
    const inner = new ScriptedModel([{ text: 'Thoughts', usage: { input_tokens: 7, output_tokens: 7 } }]);
    const think = tool(async () => (await drain(inner.stream('Think'))).length.toString(), {
      name: 'think',
      description: 't',
      schema: z.object({}),
    });
    const model = new ScriptedModel([{ toolCalls: [{ name: 'think' }] }, 'Thought.']);
    await createAgent({ model, tools: [think] }).invoke(hi, on.config);
    const metadata = await answerOf(on);
    expect(metadata).toMatchObject({ steps: 2, tool_calls: ['think'] });
    expect(metadata).not.toHaveProperty('time_to_first_token_ms');
    expect(metadata).not.toHaveProperty('input_tokens');
  });

  function chunk({ handler }: On, fields: object) {
    const message = new AIMessageChunk(fields as never);
    handler.handleLLMNewToken('', { prompt: 0, completion: 0 }, 'run', undefined, [], { chunk: { text: '', message } });
  }

  function event({ handler }: On, told: object) {
    handler.handleChatModelStreamEvent(told, 'run');
  }
});
