import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { BytesOutputParser, StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import {
  RunnableBranch,
  RunnableEach,
  RunnableLambda,
  RunnableMap,
  RunnablePassthrough,
  RunnableSequence,
} from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import {
  Annotation,
  Command,
  END,
  entrypoint,
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  START,
  StateGraph,
  task,
} from '@langchain/langgraph';
import { createReactAgent, ToolNode } from '@langchain/langgraph/prebuilt';
import { createAgent } from 'langchain';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { drain, handlerOn, isOldCore, type On, type Reply, ScriptedModel } from './support.js';

const prompt = ChatPromptTemplate.fromTemplate('Answer {question}');
const question = { question: 'Why?' };
const parser = new StringOutputParser();
const model = (...replies: (Reply | string)[]) => new ScriptedModel(replies.length ? replies : ['Hello Ada']);
const calling = (name: string, id = name): Reply => ({ text: 'Let me check.', toolCalls: [{ name, id }] });
const hi = { messages: [new HumanMessage('Why?')] };
const mask = (text: string) => text.replace(/Ada/g, '***');
const masking = <T>(form = (piece: string) => piece as T) =>
  RunnableLambda.from(async function* (said: string) {
    for (const piece of said.split(/(?<= )/)) yield form(mask(piece));
  } as never);
const condense = ChatPromptTemplate.fromTemplate('Make it stand alone: {question}')
  .pipe(model('Why Paris?'))
  .pipe(parser);

type Row = [name: string, run: (on: On) => Promise<unknown>, answer: string | undefined];

const bytes: Row[] = [
  ['invoked', ({ config }) => prompt.pipe(model()).pipe(new BytesOutputParser()).invoke(question, config), 'Hello Ada'],
  [
    'streamed',
    ({ config }) => drain(prompt.pipe(model()).pipe(new BytesOutputParser()).stream(question, config)),
    'Hello Ada',
  ],
  [
    'of a retrieval route, which condenses the question first',
    ({ config }) =>
      drain(
        RunnableSequence.from([
          { question: condense, context: () => 'Paris' },
          prompt,
          model(),
          new BytesOutputParser(),
        ]).stream(question, config),
      ),
    'Hello Ada',
  ],
  [
    'behind a step that masks, invoked',
    ({ config }) => prompt.pipe(model()).pipe(parser).pipe(mask).pipe(new BytesOutputParser()).invoke(question, config),
    'Hello ***',
  ],
  [
    'behind a step that masks, streamed',
    ({ config }) =>
      drain(prompt.pipe(model()).pipe(parser).pipe(masking()).pipe(new BytesOutputParser()).stream(question, config)),
    'Hello ***',
  ],
  [
    'that a lambda has made, invoked',
    ({ config }) =>
      prompt
        .pipe(model())
        .pipe(parser)
        .pipe((text: string) => new TextEncoder().encode(mask(text)))
        .invoke(question, config),
    'Hello ***',
  ],
  [
    'inside a streamed lambda',
    ({ config }) =>
      drain(
        RunnableLambda.from(() => prompt.pipe(model('Hello Ada, it is long')).pipe(new BytesOutputParser())).stream(
          question,
          config,
        ),
      ),
    'Hello Ada, it is long',
  ],
];

describe('bytes', () => {
  it.each(bytes)('%s, are recorded as their text', check);

  it.each<[string, (on: On) => Promise<unknown>]>([
    [
      'that a generator has masked and streamed, of which LangChain tells nothing',
      ({ config }) =>
        drain(
          prompt
            .pipe(model())
            .pipe(parser)
            .pipe(masking(piece => new TextEncoder().encode(piece)))
            .stream(question, config),
        ),
    ],
    [
      'that are no text',
      ({ config }) =>
        prompt
          .pipe(model())
          .pipe(() => new Uint8Array([137, 80, 78, 71, 255]))
          .invoke(question, config),
    ],
  ])('%s, are not recorded, and that is said', unclear);
});

describe('an error as the output', () => {
  const failing = model({ error: new Error('overloaded') });
  failing.caller.call = ((fn: () => unknown) => fn()) as never;

  it.each<[string, (on: On) => Promise<unknown>]>([
    [
      'of a batch that returns its exceptions',
      ({ config }) => prompt.pipe(failing).batch([question], config, { returnExceptions: true }),
    ],
    [
      'of a batch with a parser behind the model',
      ({ config }) => prompt.pipe(failing).pipe(parser).batch([question], config, { returnExceptions: true }),
    ],
    [
      'of a batch of lambdas',
      ({ config }) =>
        RunnableLambda.from((_: object): string => {
          throw new Error('overloaded');
        }).batch([question], config, { returnExceptions: true }),
    ],
    [
      'of a lambda',
      ({ config }) => RunnableLambda.from((_: object) => new TypeError('secret')).invoke(question, config),
    ],
    [
      'of a lambda behind a model',
      ({ config }) =>
        prompt
          .pipe(model())
          .pipe(() => new Error('secret'))
          .invoke(question, config),
    ],
    [
      'of a streamed lambda',
      ({ config }) => drain(RunnableLambda.from((_: object) => new Error('secret')).stream(question, config)),
    ],
    [
      'under a name that chains use',
      ({ config }) => RunnablePassthrough.assign({ answer: () => new Error('secret') }).invoke(question, config),
    ],
  ])('%s is no answer, and the turn has failed', async (_, run) => {
    await using on = await handlerOn({}, { emptyAnswers: 'placeholder' });
    await run(on);
    const transcript = await on.transcript();
    expect(transcript[0]).toBe('user: Why?');
    expect(transcript.slice(1).join()).not.toMatch(/overloaded|secret|\w+Error/);
    expect(on.synap.stored.slice(1).map(({ metadata }) => metadata?.status)).toEqual(['error']);
  });

  it('leaves the other runs of the batch their answers', async () => {
    await using on = await handlerOn();
    const flaky = new ScriptedModel(
      messages => {
        const text = messages[0]?.text ?? '';
        return text.includes('Two') ? { error: new Error('overloaded') } : `Re: ${text}`;
      },
      { maxRetries: 0 },
    );
    const chain = ChatPromptTemplate.fromTemplate('{question}').pipe(flaky).pipe(parser);
    const inputs = ['One', 'Two', 'Three'].map(said => ({ question: said }));
    await chain.batch(inputs, on.config, { returnExceptions: true });
    expect((await on.transcript()).toSorted()).toEqual([
      'assistant: Re: One',
      'assistant: Re: Three',
      'user: One',
      'user: Three',
      'user: Two',
    ]);
  });
});

const direct = (result: unknown = 'It is sunny.') =>
  tool(async () => result as string, { name: 'weather', description: 'w', schema: z.object({}), returnDirect: true });
const plain = tool(async () => 'raw data', { name: 'lookup', description: 'l', schema: z.object({}) });

const directTools: Row[] = [
  [
    'createAgent',
    ({ config }) => createAgent({ model: model(calling('weather')), tools: [direct()] }).invoke(hi, config),
    'It is sunny.',
  ],
  [
    'createAgent, streamed',
    async ({ config }) =>
      drain(createAgent({ model: model(calling('weather')), tools: [direct()] }).stream(hi, config)),
    'It is sunny.',
  ],
  [
    'createReactAgent',
    ({ config }) => createReactAgent({ llm: model(calling('weather')), tools: [direct()] }).invoke(hi, config),
    'It is sunny.',
  ],
  [
    'after another tool',
    ({ config }) =>
      createReactAgent({ llm: model(calling('lookup'), calling('weather')), tools: [plain, direct()] }).invoke(
        hi,
        config,
      ),
    'It is sunny.',
  ],
  [
    'called twice at once',
    ({ config }) =>
      createReactAgent({
        llm: model({ toolCalls: ['1', '2'].map(id => ({ name: 'weather', id })) }),
        tools: [direct()],
      }).invoke(hi, config),
    'It is sunny.\n\nIt is sunny.',
  ],
  [
    'whose result is an object',
    ({ config }) =>
      createReactAgent({ llm: model(calling('weather')), tools: [direct({ sky: 'blue' })] }).invoke(hi, config),
    isOldCore ? '{\n  "sky": "blue"\n}' : '{"sky":"blue"}',
  ],
  [
    'a tool node of a graph of the app’s own, behind which a branch ends the graph',
    ({ config }) =>
      new StateGraph(MessagesAnnotation)
        .addNode('ask', async ({ messages }) => ({ messages: [await model(calling('weather')).invoke(messages)] }))
        .addNode('tools', new ToolNode([direct()]))
        .addEdge(START, 'ask')
        .addEdge('ask', 'tools')
        .addConditionalEdges('tools', () => END, ['ask', END])
        .compile()
        .invoke(hi, config),
    'It is sunny.',
  ],
];

describe('a tool whose result is the answer', () => {
  it.each(directTools)('in %s', check);

  it('is not taken for it while the graph waits behind a tool', async () => {
    await using on = await handlerOn();
    const thread = { configurable: { thread_id: 't' }, metadata: { conversation_id: 'chat' } };
    const agent = createReactAgent({
      llm: model(calling('lookup'), 'It is sunny.'),
      tools: [plain],
      checkpointer: new MemorySaver(),
    });
    await agent.invoke(hi, { ...on.config, ...thread, interruptAfter: ['tools'] });
    expect(await on.transcript()).toEqual(['user: Why?']);
    await agent.invoke(null, { ...on.config, ...thread });
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: It is sunny.']);
  });
});

const behind: Row[] = [
  [
    'a number',
    ({ config }) =>
      prompt
        .pipe(model('Score: 5'))
        .pipe(() => 5)
        .invoke(question, config),
    '5',
  ],
  [
    'a boolean',
    ({ config }) =>
      prompt
        .pipe(model('YES'))
        .pipe(() => true)
        .invoke(question, config),
    'true',
  ],
  [
    'zero',
    ({ config }) =>
      prompt
        .pipe(model('none'))
        .pipe(() => 0)
        .invoke(question, config),
    '0',
  ],
  [
    'a text under a name of its own',
    ({ config }) =>
      prompt
        .pipe(model())
        .pipe((said: AIMessage) => ({ shown: mask(said.text), score: 1 }))
        .invoke(question, config),
    'Hello ***',
  ],
  [
    'a text deep in an object',
    ({ config }) =>
      prompt
        .pipe(model())
        .pipe((said: AIMessage) => ({ ok: true, body: { said: mask(said.text) } }))
        .invoke(question, config),
    'Hello ***',
  ],
  [
    'a message',
    ({ config }) =>
      prompt
        .pipe(model())
        .pipe((said: AIMessage) => new AIMessage(mask(said.text)))
        .invoke(question, config),
    'Hello ***',
  ],
  [
    'what a generator has masked',
    ({ config }) => drain(prompt.pipe(model()).pipe(parser).pipe(masking()).stream(question, config)),
    'Hello ***',
  ],
  [
    'what a later node rewrites under the same name',
    ({ config }) =>
      new StateGraph(Annotation.Root({ question: Annotation<string>, reply: Annotation<string> }))
        .addNode('say', async state => ({ reply: (await model().invoke(state.question)).text }))
        .addNode('mask', state => ({ reply: mask(state.reply) }))
        .addEdge(START, 'say')
        .addEdge('say', 'mask')
        .addEdge('mask', END)
        .compile()
        .invoke(question, config),
    'Hello ***',
  ],
  [
    'what a later node rewrites under a name of the app’s own',
    ({ config }) =>
      new StateGraph(Annotation.Root({ question: Annotation<string>, shown: Annotation<string> }))
        .addNode('say', async state => ({ shown: (await model().invoke(state.question)).text }))
        .addNode('mask', state => ({ shown: mask(state.shown) }))
        .addEdge(START, 'say')
        .addEdge('say', 'mask')
        .addEdge('mask', END)
        .compile()
        .invoke(question, config),
    'Hello ***',
  ],
];

describe('what a step behind the model gives is the answer', () => {
  it.each(behind)('%s', check);

  it.each<[string, (on: On) => Promise<unknown>]>([
    [
      'nothing',
      ({ config }) =>
        prompt
          .pipe(model())
          .pipe(() => null as never)
          .invoke(question, config),
    ],
    [
      'no value at all',
      ({ config }) =>
        prompt
          .pipe(model())
          .pipe(() => undefined as never)
          .invoke(question, config),
    ],
    [
      'an empty object',
      ({ config }) =>
        prompt
          .pipe(model())
          .pipe(() => ({}))
          .invoke(question, config),
    ],
    [
      'numbers',
      ({ config }) =>
        prompt
          .pipe(model())
          .pipe(() => ({ score: 5, of: 10 }))
          .invoke(question, config),
    ],
    [
      'several texts',
      ({ config }) =>
        prompt
          .pipe(model())
          .pipe(() => ({ a: 'One', b: 'Two' }))
          .invoke(question, config),
    ],
  ])('of %s, the model’s own text is not recorded instead, and that is said', unclear);
});

const shapes: Row[] = [
  [
    'a retrieval chain’s answer beside its documents',
    ({ config }) =>
      RunnablePassthrough.assign({ context: () => [{ pageContent: 'Ada wrote it.', metadata: {} }] })
        .pipe(RunnablePassthrough.assign({ answer: prompt.pipe(model()).pipe(parser) as never }))
        .invoke({ ...question, chat_history: [new HumanMessage('Hi'), new AIMessage('Yes?')] } as never, config),
    'Hello Ada',
  ],
  [
    'a branch of a chain',
    ({ config }) =>
      RunnableBranch.from([
        [async () => (await model('no').invoke('Is it?')).text === 'yes', prompt.pipe(model('Yes.')).pipe(parser)],
        prompt.pipe(model()).pipe(parser),
      ] as never).invoke(question, config),
    'Hello Ada',
  ],
  [
    'updates of a graph that a lambda has collected',
    ({ config }) =>
      RunnableLambda.from(async (_: object) =>
        drain(
          createReactAgent({ llm: model(calling('lookup'), 'Hello Ada'), tools: [plain] }).stream(hi, {
            streamMode: 'updates',
          }),
        ),
      ).invoke(question, config),
    'Hello Ada',
  ],
  [
    'a value that an entrypoint ends with, beside one that it saves',
    ({ config }) =>
      entrypoint({ name: 'answer', checkpointer: new MemorySaver() }, async (said: string) =>
        entrypoint.final({ value: (await model().invoke(said)).text, save: 'kept' }),
      ).invoke('Why?', { ...config, configurable: { thread_id: 't' } }),
    'Hello Ada',
  ],
  [
    'the messages that an entrypoint gives',
    ({ config }) =>
      entrypoint('answer', async (said: string) => [new HumanMessage(said), await model().invoke(said)]).invoke(
        'Why?',
        config,
      ),
    'Hello Ada',
  ],
  [
    'what a graph streams and does not keep',
    ({ config }) =>
      drain(
        new StateGraph(Annotation.Root({ question: Annotation<string> }))
          .addNode('say', async state => {
            await model().invoke(state.question);
            return {};
          })
          .addEdge(START, 'say')
          .addEdge('say', END)
          .compile()
          .stream(question, { ...config, streamMode: 'messages' }),
      ),
    'Hello Ada',
  ],
  [
    'an answer that a command gives',
    ({ config }) =>
      new StateGraph(MessagesAnnotation)
        .addNode(
          'say',
          async ({ messages }) => new Command({ goto: END, update: { messages: [await model().invoke(messages)] } }),
          {
            ends: [END],
          },
        )
        .addEdge(START, 'say')
        .compile()
        .invoke(hi, config),
    'Hello Ada',
  ],
];

describe('the answer is found in', () => {
  it.each(shapes)('%s', check);

  it.each<[string, (on: On) => Promise<unknown>]>([
    [
      'two answers side by side',
      ({ config }) =>
        RunnableMap.from({
          joke: prompt.pipe(model('Ha')).pipe(parser),
          poem: prompt.pipe(model('Oh')).pipe(parser),
        }).invoke(question, config),
    ],
    [
      'a list of answers',
      ({ config }) =>
        RunnableLambda.from(() => ['One', 'Two'])
          .pipe(new RunnableEach({ bound: new ScriptedModel(messages => `Re: ${messages[0]?.text}`).pipe(parser) }))
          .invoke(question, config),
    ],
    [
      'two new names, of which none is usual',
      ({ config }) =>
        RunnablePassthrough.assign({
          summary: prompt.pipe(model('Short')).pipe(parser),
          title: prompt.pipe(model('T')).pipe(parser),
        }).invoke(question, config),
    ],
  ])('but not in %s, and that is said', unclear);
});

describe('a resumed function of LangGraph’s', () => {
  it('that gives an object in which the answer is not clear says so', async () => {
    await using on = await handlerOn();
    const write = task('write', async (topic: string) => (await model('An essay').invoke(topic)).text);
    const flow = entrypoint({ name: 'essays', checkpointer: new MemorySaver() }, async (topic: string) => {
      const essay = await write(topic);
      return { essay, isApproved: interrupt('ok?') };
    });
    const thread = { ...on.config, configurable: { thread_id: 't' }, metadata: { conversation_id: 'chat' } };
    await flow.invoke('Cats', thread);
    expect(on.notices).toEqual([]);
    await flow.invoke(new Command({ resume: true }), thread);
    expect(await on.transcript()).toEqual(['user: Cats']);
    expect(on.notices).toHaveLength(1);
    expect(on.notices[0]).toMatch(/"essays".*outputKey or selectOutput$/);
    expect(on.notices[0]).not.toMatch(/assistantNodes|Cats|An essay/);
  });
});

async function check(_: string, run: (on: On) => Promise<unknown>, answer: string | undefined) {
  await using on = await handlerOn();
  await run(on);
  expect(await on.transcript()).toEqual(['user: Why?', ...(answer === undefined ? [] : [`assistant: ${answer}`])]);
  expect(on.notices).toEqual([]);
}

async function unclear(_: string, run: (on: On) => Promise<unknown>) {
  await using on = await handlerOn();
  await run(on);
  expect(await on.transcript()).toEqual(['user: Why?']);
  expect(on.notices).toHaveLength(1);
  expect(on.notices[0]).toMatch(/clearly the answer/);
}
