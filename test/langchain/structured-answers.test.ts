import { AIMessage, HumanMessage } from '@langchain/core/messages';
import {
  CommaSeparatedListOutputParser,
  JsonOutputParser,
  StructuredOutputParser,
  XMLOutputParser,
} from '@langchain/core/output_parsers';
import { JsonOutputKeyToolsParser, JsonOutputToolsParser } from '@langchain/core/output_parsers/openai_tools';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { type Runnable, RunnableLambda, RunnablePassthrough } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import { Annotation, END, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { ChatOpenAI } from '@langchain/openai';
import { createAgent, providerStrategy, toolStrategy } from 'langchain';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { scriptedModel } from '../support/scripted-model.js';
import { drain, handlerOn, isOldCore, type On, type Reply, ScriptedModel } from './support.js';

const City = z.object({ city: z.string(), people: z.number() });
const paris = { city: 'Paris', people: 2_000_000 };
const json = JSON.stringify(paris);
const hi = { messages: [new HumanMessage('Where?')] };
const prompt = ChatPromptTemplate.fromTemplate('Answer {question}');
const question = { question: 'Where?' };
const weather = tool(async () => 'sunny', { name: 'weather', description: 'w', schema: z.object({}) });

/** A model of OpenAI's, which calls the tool that it is made to call, and else writes JSON. */
async function openAI(first: string | string[] = ['{"city": "Par', 'is",', ' "people": 2000000}'], later = first) {
  const server = await scriptedModel(({ tools, messages }, index) => {
    const offered = tools as { function: { name: string } }[] | undefined;
    const extract = offered?.find(({ function: { name } }) => name !== 'weather');
    if (!extract) return { text: index === 0 ? first : later, model: 'gpt-5-2026' };
    if (offered?.length === 2 && messages.at(-1)?.role !== 'tool')
      return { text: 'Let me check.', toolCalls: [{ name: 'weather', arguments: {} }] };
    return { toolCalls: [{ name: extract.function.name, arguments: paris }], model: 'gpt-5-2026' };
  });
  const fields = { model: 'gpt-5', apiKey: 'k', maxRetries: 0, configuration: { baseURL: server.url } };
  return { model: new ChatOpenAI({ ...fields, useResponsesApi: false }), [Symbol.asyncDispose]: () => server.close() };
}

/** What was recorded, and of the answer what is known. */
async function recorded(on: On) {
  const transcript = await on.transcript();
  return { transcript, metadata: on.synap.stored.findLast(({ role }) => role === 'assistant')?.metadata };
}

const made = {
  model: 'gpt-5',
  response_model: 'gpt-5-2026',
  provider: 'openai',
  finish_reason: expect.stringMatching(/^(stop|tool_calls)$/),
  input_tokens: expect.any(Number),
  status: 'complete',
};

const ways: [string, (runnable: Runnable, input: unknown, config: On['config']) => Promise<unknown>][] = [
  ['invoked', (runnable, input, config) => runnable.invoke(input, config)],
  ['streamed', (runnable, input, config) => drain(runnable.stream(input, config))],
  [
    'streamed inside a lambda',
    (runnable, input, config) => drain(RunnableLambda.from(() => runnable).stream(input, config)),
  ],
  ['with a retry around it', (runnable, input, config) => runnable.withRetry().invoke(input, config)],
];

describe.each(ways)('withStructuredOutput, %s', (_, run) => {
  const methods = ['functionCalling', 'jsonMode', 'jsonSchema'] as const;

  it.each(methods)('with %s, is recorded as the JSON, with what is known of its call', async method => {
    await using server = await openAI();
    await using on = await handlerOn();
    const model = server.model.withStructuredOutput(City, { name: 'extract', method });
    await run(model, 'Where?', on.config);
    const { transcript, metadata } = await recorded(on);
    expect(transcript).toEqual(['user: Where?', `assistant: ${json}`]);
    expect(metadata).toMatchObject(made);
    expect(metadata).not.toHaveProperty('tool_calls');
    expect(on.notices).toEqual([]);
  });

  it.each(methods)('with %s and the raw message, too', async method => {
    await using server = await openAI();
    await using on = await handlerOn();
    const model = server.model.withStructuredOutput(City, { name: 'extract', method, includeRaw: true });
    await run(prompt.pipe(model), question, on.config);
    const { transcript, metadata } = await recorded(on);
    expect(transcript).toEqual(['user: Where?', `assistant: ${json}`]);
    expect(metadata).toMatchObject(made);
    expect(on.notices).toEqual([]);
  });
});

it('withStructuredOutput that can’t read what came, beside the raw message, leaves the text', async () => {
  await using server = await openAI('I would rather not.');
  await using on = await handlerOn();
  const model = server.model.withStructuredOutput(City, { method: 'jsonMode', includeRaw: true });
  await model.invoke('Where?', on.config);
  expect(await on.transcript()).toEqual(['user: Where?', 'assistant: I would rather not.']);
});

it('a value that the schema has changed is recorded as the app got it', async () => {
  await using server = await openAI();
  await using on = await handlerOn();
  const Changed = z.object({ city: z.string().transform(city => city.toUpperCase()), people: z.number() });
  const parser = StructuredOutputParser.fromZodSchema(Changed as never);
  const got = await prompt.pipe(server.model).pipe(parser).invoke(question, on.config);
  expect(got).toEqual({ city: 'PARIS', people: 2_000_000 });
  const { transcript, metadata } = await recorded(on);
  expect(transcript).toEqual(['user: Where?', `assistant: ${JSON.stringify(got)}`]);
  expect(metadata).toMatchObject(made);
});

const model = (...replies: (Reply | string)[]) => new ScriptedModel(replies);
const calling = (name: string, args: Record<string, unknown>): Reply => ({ toolCalls: [{ name, args }] });

describe.each(ways.slice(0, 3))('a parser behind the model, %s', (_, run) => {
  it.each<[string, Runnable, string]>([
    ['JSON', model({ text: ['{"city": "Par', 'is"}'] }).pipe(new JsonOutputParser()), '{"city":"Paris"}'],
    ['JSON in Markdown', model('```json\n{"a":[1,2]}\n```').pipe(new JsonOutputParser()), '{"a":[1,2]}'],
    ['a list as JSON', model('[1, 2]').pipe(new JsonOutputParser()), '[1,2]'],
    ['a list', model('a, b').pipe(new CommaSeparatedListOutputParser()), '["a","b"]'],
    ['XML', model('<a><b>c</b></a>').pipe(new XMLOutputParser()), '{"a":[{"b":"c"}]}'],
    [
      'one tool',
      model(calling('extract', paris)).pipe(new JsonOutputKeyToolsParser({ keyName: 'extract', returnSingle: true })),
      json,
    ],
    [
      'an answer among other things',
      model('{"answer": "Paris", "text": "It is Paris", "sure": true}').pipe(new JsonOutputParser()),
      '{"answer":"Paris","text":"It is Paris","sure":true}',
    ],
    ['JSON as a changing list', model('{"a":"bc"}').pipe(new JsonOutputParser({ diff: true } as never)), '{"a":"bc"}'],
  ])('that reads %s is recorded as the JSON', async (_, chain, content) => {
    await using on = await handlerOn();
    await run(prompt.pipe(chain), question, on.config);
    expect(await on.transcript()).toEqual(['user: Where?', `assistant: ${content}`]);
    expect(on.synap.stored[1]?.metadata).toMatchObject({ model: 'scripted-1' });
    expect(on.notices).toEqual([]);
  });
});

it('a list of tools as a parser gives it is recorded as the JSON', async () => {
  await using on = await handlerOn();
  await prompt
    .pipe(model(calling('extract', paris)))
    .pipe(new JsonOutputToolsParser())
    .invoke(question, on.config);
  const [, answer] = await on.transcript();
  expect(JSON.parse(answer?.replace('assistant: ', '') ?? '')).toMatchObject([{ type: 'extract', args: paris }]);
});

it('what a step of the app makes of a parsed value is the answer', async () => {
  await using on = await handlerOn();
  await prompt
    .pipe(model('{"say": "my secret"}'))
    .pipe(new JsonOutputParser<{ say: string }>())
    .pipe(({ say }: { say: string }) => `I can't say: ${say.length}`)
    .invoke(question, on.config);
  expect(await on.transcript()).toEqual(['user: Where?', "assistant: I can't say: 9"]);
});

it('a value under a name that chains use is recorded as the JSON', async () => {
  await using on = await handlerOn();
  await RunnablePassthrough.assign({ context: () => ['Paris is a city.'] })
    .pipe(RunnablePassthrough.assign({ answer: prompt.pipe(model(json)).pipe(new JsonOutputParser()) as never }))
    .invoke(question, on.config);
  expect(await on.transcript()).toEqual(['user: Where?', `assistant: ${json}`]);
});

describe('a graph', () => {
  const State = Annotation.Root({
    question: Annotation<string>,
    route: Annotation<object>,
    place: Annotation<object>,
    reply: Annotation<string>,
  });

  it('whose state holds a structured answer under a name of its own is recorded as its JSON', async () => {
    await using server = await openAI();
    await using on = await handlerOn();
    const reader = server.model.withStructuredOutput(City, { name: 'extract', method: 'functionCalling' });
    const graph = new StateGraph(State)
      .addNode('read', async ({ question }) => ({ place: await reader.invoke(question) }))
      .addEdge(START, 'read')
      .addEdge('read', END)
      .compile();
    await graph.invoke({ question: 'Where?' }, on.config);
    const { transcript, metadata } = await recorded(on);
    expect(transcript).toEqual(['user: Where?', `assistant: ${json}`]);
    expect(metadata).toMatchObject(made);
  });

  it('that routes by a structured value is recorded with the answer behind it', async () => {
    await using server = await openAI();
    await using on = await handlerOn();
    const router = server.model.withStructuredOutput(City, { name: 'route', method: 'functionCalling' });
    const graph = new StateGraph(State)
      .addNode('router', async ({ question }) => ({ route: await router.invoke(question) }))
      .addNode('say', async ({ question }) => ({ reply: (await model('It is Paris.').invoke(question)).text }))
      .addEdge(START, 'router')
      .addEdge('router', 'say')
      .addEdge('say', END)
      .compile();
    await graph.invoke({ question: 'Where?' }, on.config);
    expect(await on.transcript()).toEqual(['user: Where?', 'assistant: It is Paris.']);
  });
});

describe('an agent with a response format', () => {
  const strategies: [string, (on: On, server: Awaited<ReturnType<typeof openAI>>) => Promise<unknown>][] = [
    ['toolStrategy', ({ config }, { model }) => agent(model, toolStrategy(City)).invoke(hi, config)],
    ['toolStrategy, streamed', ({ config }, { model }) => drain(agent(model, toolStrategy(City)).stream(hi, config))],
    ['a plain schema', ({ config }, { model }) => agent(model, City).invoke(hi, config)],
    ['providerStrategy', ({ config }, { model }) => agent(model, providerStrategy(City)).invoke(hi, config)],
    [
      'providerStrategy, streamed',
      ({ config }, { model }) => drain(agent(model, providerStrategy(City)).stream(hi, config)),
    ],
    [
      'toolStrategy with a message of the app’s own',
      ({ config }, { model }) => agent(model, toolStrategy(City, { toolMessageContent: 'Noted!' })).invoke(hi, config),
    ],
  ];
  const agent = (from: ChatOpenAI, responseFormat: unknown) =>
    createAgent({ model: from, tools: [], responseFormat } as never) as unknown as Runnable;

  it.skipIf(isOldCore).each(strategies)('(%s) is recorded as the JSON', async (_, run) => {
    await using server = await openAI();
    await using on = await handlerOn();
    await run(on, server);
    const { transcript, metadata } = await recorded(on);
    expect(transcript).toEqual(['user: Where?', `assistant: ${json}`]);
    expect(metadata).toMatchObject(made);
    expect(metadata).not.toHaveProperty('tool_calls');
    expect(on.notices).toEqual([]);
  });

  it.skipIf(isOldCore)('after a tool names that tool only', async () => {
    await using server = await openAI();
    await using on = await handlerOn();
    const withTool = createAgent({ model: server.model, tools: [weather], responseFormat: toolStrategy(City) });
    await withTool.invoke(hi, on.config);
    const { transcript, metadata } = await recorded(on);
    expect(transcript).toEqual(['user: Where?', `assistant: ${json}`]);
    expect(metadata).toMatchObject({ steps: 2, tool_calls: ['weather'], finish_reason: 'tool_calls' });
  });

  it.skipIf(isOldCore)('inside another graph, whose state has the messages only', async () => {
    await using server = await openAI();
    await using on = await handlerOn();
    const inner = createAgent({ model: server.model, tools: [], responseFormat: toolStrategy(City) });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('read', async state => ({ messages: (await inner.invoke(state)).messages }))
      .addEdge(START, 'read')
      .addEdge('read', END)
      .compile();
    await graph.invoke(hi, on.config);
    expect(await on.transcript()).toEqual(['user: Where?', `assistant: ${json}`]);
  });

  it.skipIf(isOldCore)('inside another graph, with a message of the app’s own and a disclaimer behind it', async () => {
    await using server = await openAI();
    await using on = await handlerOn();
    const responseFormat = toolStrategy(City, { toolMessageContent: 'Noted!' });
    const inner = createAgent({ model: server.model, tools: [weather], responseFormat });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('read', async state => ({ messages: (await inner.invoke(state)).messages }))
      .addNode('warn', () => ({ messages: [new AIMessage('No guarantee for that.')] }))
      .addEdge(START, 'read')
      .addEdge('read', 'warn')
      .addEdge('warn', END)
      .compile();
    await graph.invoke(hi, on.config);
    const { transcript, metadata } = await recorded(on);
    expect(transcript).toEqual(['user: Where?', `assistant: ${json}\n\nNo guarantee for that.`]);
    expect(metadata).toMatchObject({ model: 'gpt-5', steps: 2 });
  });

  it('of LangGraph’s, which asks once more for the value, is recorded as the JSON of that call', async () => {
    await using server = await openAI('It is Paris.', json);
    await using on = await handlerOn();
    const reactAgent = createReactAgent({ llm: server.model, tools: [], responseFormat: City } as never);
    await reactAgent.invoke(hi, on.config);
    const { transcript, metadata } = await recorded(on);
    expect(transcript).toEqual(['user: Where?', `assistant: ${json}`]);
    expect(metadata).toMatchObject({ ...made, steps: 2 });
  });

  it('does not repeat the value of an earlier run in the same thread', async () => {
    await using server = await openAI('It is Paris.', json);
    await using on = await handlerOn();
    const thread = { configurable: { thread_id: 't' }, metadata: { conversation_id: 'chat' } };
    const checkpointer = new MemorySaver();
    const reader = createReactAgent({ llm: server.model, tools: [], responseFormat: City, checkpointer } as never);
    await reader.invoke(hi, { ...on.config, ...thread });
    const stopped = createReactAgent({ llm: server.model, tools: [], responseFormat: City, checkpointer } as never);
    const config = { ...on.config, ...thread, interruptBefore: ['agent'] };
    await stopped.invoke({ messages: [new HumanMessage('And now?')] }, config as never);
    expect(await on.transcript()).toEqual(['user: Where?', `assistant: ${json}`, 'user: And now?']);
  });
});
