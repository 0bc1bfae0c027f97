import { InMemoryCache } from '@langchain/core/caches';
import { InMemoryChatMessageHistory } from '@langchain/core/chat_history';
import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate, MessagesPlaceholder, PromptTemplate } from '@langchain/core/prompts';
import {
  RunnableBranch,
  RunnableLambda,
  RunnableMap,
  RunnablePassthrough,
  RunnableSequence,
  RunnableWithMessageHistory,
} from '@langchain/core/runnables';
import { FakeListChatModel, FakeStreamingLLM } from '@langchain/core/utils/testing';
import { describe, expect, it } from 'vitest';
import { drain, handlerOn, type On, type Reply, ScriptedModel } from './support.js';

const prompt = ChatPromptTemplate.fromMessages([
  ['system', 'Answer in one line.'],
  ['human', 'Context: everything. Question: {question}'],
]);
const parser = new StringOutputParser();
const model = (...replies: (Reply | string)[]) => new ScriptedModel(replies.length ? replies : ['Hello Ada']);
const failing = (message = 'overloaded') => model({ error: new Error(message) });

type Row = [name: string, run: (on: On) => Promise<unknown>, transcript: string[]];

const rows: Row[] = [
  ['model.invoke', ({ config }) => model().invoke('Hi', config), ['user: Hi', 'assistant: Hello Ada']],
  ['model.stream', ({ config }) => drain(model().stream('Hi', config)), ['user: Hi', 'assistant: Hello Ada']],
  [
    'model.invoke with a history: only its end is new',
    ({ config }) => model().invoke([new HumanMessage('Old'), new AIMessage('Older'), new HumanMessage('New')], config),
    ['user: New', 'assistant: Hello Ada'],
  ],
  [
    'model.batch: each prompt is a turn',
    ({ config }) => new ScriptedModel(messages => `Re: ${messages[0]?.text}`).batch(['One', 'Two'], config),
    ['user: One', 'user: Two', 'assistant: Re: One', 'assistant: Re: Two'],
  ],
  [
    'model.generate of two prompts: each is a turn',
    ({ handler }) =>
      new ScriptedModel(messages => `Re: ${messages[0]?.text}`).generate(
        [[new HumanMessage('One')], [new HumanMessage('Two')]],
        undefined,
        [handler],
      ),
    ['user: One', 'user: Two', 'assistant: Re: One', 'assistant: Re: Two'],
  ],
  [
    'a cache hit',
    async ({ config }) => {
      const cached = new ScriptedModel(['Hello Ada'], { cache: new InMemoryCache() });
      await cached.invoke('Hi');
      await cached.invoke('Hi', config);
    },
    ['user: Hi', 'assistant: Hello Ada'],
  ],
  [
    'prompt | model | parser: the user asked the question, not the template',
    ({ config }) => prompt.pipe(model()).pipe(parser).invoke({ question: 'Why?' }, config),
    ['user: Why?', 'assistant: Hello Ada'],
  ],
  [
    'prompt | model | parser, streamed',
    ({ config }) => drain(prompt.pipe(model()).pipe(parser).stream({ question: 'Why?' }, config)),
    ['user: Why?', 'assistant: Hello Ada'],
  ],
  [
    'prompt | model, streamed',
    ({ config }) => drain(prompt.pipe(model()).stream({ question: 'Why?' }, config)),
    ['user: Why?', 'assistant: Hello Ada'],
  ],
  [
    'prompt | model, with streamEvents v2',
    ({ config }) => drain(prompt.pipe(model()).streamEvents({ question: 'Why?' }, { ...config, version: 'v2' })),
    ['user: Why?', 'assistant: Hello Ada'],
  ],
  [
    'a model bound to tools that calls one: nothing is answered yet',
    ({ config }) =>
      prompt
        .pipe(model({ text: 'Let me check.', toolCalls: [{ name: 'weather' }] }))
        .invoke({ question: 'Weather?' }, config),
    ['user: Weather?'],
  ],
  [
    'RunnableWithMessageHistory: the history is not said again',
    async ({ config }) => {
      const history = new InMemoryChatMessageHistory([new HumanMessage('Old'), new AIMessage('Older')]);
      const chain = new RunnableWithMessageHistory({
        runnable: ChatPromptTemplate.fromMessages([new MessagesPlaceholder('history'), ['human', '{question}']]).pipe(
          model(),
        ),
        getMessageHistory: () => history,
        inputMessagesKey: 'question',
        historyMessagesKey: 'history',
      });
      await chain.invoke({ question: 'New?' }, { ...config, configurable: { sessionId: 's' } });
    },
    ['user: New?', 'assistant: Hello Ada'],
  ],
  [
    'withRetry on the model',
    ({ config }) => {
      const flaky = model({ error: new Error('overloaded') }, 'Hello Ada');
      return prompt
        .pipe(flaky.withRetry({ stopAfterAttempt: 2 }))
        .pipe(parser)
        .invoke({ question: 'Why?' }, config);
    },
    ['user: Why?', 'assistant: Hello Ada'],
  ],
  [
    'withRetry on a chain whose parser failed once',
    ({ config }) => {
      const strict = RunnableLambda.from((message: AIMessage) => {
        if (message.text !== '{}') throw new Error('not JSON');
        return message.text;
      });
      return prompt
        .pipe(model('Well', '{}'))
        .pipe(strict)
        .withRetry({ stopAfterAttempt: 2 })
        .invoke({ question: 'Why?' }, config);
    },
    ['user: Why?', 'assistant: {}'],
  ],
  [
    'withFallbacks: the user asked once',
    ({ config }) => prompt.pipe(failing().withFallbacks([model()])).invoke({ question: 'Why?' }, config),
    ['user: Why?', 'assistant: Hello Ada'],
  ],
  [
    'withFallbacks around a model, by itself',
    ({ config }) => failing().withFallbacks([model()]).invoke('Why?', config),
    ['user: Why?', 'assistant: Hello Ada'],
  ],
  [
    'a string LLM',
    ({ config }) => new FakeStreamingLLM({ responses: ['Hello'] }).invoke('Hi', config),
    ['user: Hi', 'assistant: Hello'],
  ],
  [
    'a string LLM, streamed',
    ({ config }) => drain(new FakeStreamingLLM({ responses: ['Hello'] }).stream('Hi', config)),
    ['user: Hi', 'assistant: Hello'],
  ],
  [
    'a string LLM in a chain',
    ({ config }) =>
      PromptTemplate.fromTemplate('Q: {question}')
        .pipe(new FakeStreamingLLM({ responses: ['Hello'] }))
        .invoke({ question: 'Why?' }, config),
    ['user: Why?', 'assistant: Hello'],
  ],
  [
    "core's own fake",
    ({ config }) => drain(new FakeListChatModel({ responses: ['Hello'] }).stream('Hi', config)),
    ['user: Hi', 'assistant: Hello'],
  ],
  [
    'a streamed lambda, which gets its input late',
    ({ config }) =>
      drain(
        RunnableLambda.from((question: string) => prompt.pipe(model()).pipe(parser).invoke({ question })).stream(
          'Why?',
          config,
        ),
      ),
    ['user: Why?', 'assistant: Hello Ada'],
  ],
  [
    'a streamed lambda that passes its config on',
    ({ config }) =>
      drain(
        RunnableLambda.from((question: string, config) => prompt.pipe(model()).invoke({ question }, config)).stream(
          'Why?',
          config,
        ),
      ),
    ['user: Why?', 'assistant: Hello Ada'],
  ],
  [
    'a streamed assign',
    ({ config }) =>
      drain(
        RunnablePassthrough.assign({ answer: prompt.pipe(model()).pipe(parser) }).stream({ question: 'Why?' }, config),
      ),
    ['user: Why?', 'assistant: Hello Ada'],
  ],
  [
    'RAG with a condensed question',
    ({ config }) => {
      const condense = ChatPromptTemplate.fromTemplate('Make it stand alone: {question}').pipe(model('Why Paris?'));
      const answer = ChatPromptTemplate.fromTemplate('Answer {question} from {context}').pipe(model('Because.'));
      return RunnableSequence.from<{ question: string; chat_history: unknown }, string>([
        { question: condense.pipe(parser), chat_history: (input: { chat_history: unknown }) => input.chat_history },
        RunnablePassthrough.assign({ context: () => 'Paris is a city.' }),
        answer,
        parser,
      ]).invoke({ question: 'Why there?', chat_history: [new HumanMessage('Where?'), new AIMessage('Paris')] }, config);
    },
    ['user: Why there?', 'assistant: Because.'],
  ],
  [
    'RAG that returns its sources with the answer',
    ({ config }) =>
      RunnablePassthrough.assign({ context: () => ['Paris is a city.'] })
        .pipe(RunnablePassthrough.assign({ answer: prompt.pipe(model()).pipe(parser) }))
        .invoke({ question: 'Why?' }, config),
    ['user: Why?', 'assistant: Hello Ada'],
  ],
  [
    'a branch that a model decides on',
    ({ config }) => {
      const classify = ChatPromptTemplate.fromTemplate('Classify {question}').pipe(model('billing')).pipe(parser);
      const branch = RunnableBranch.from([
        [(input: { topic: string }) => input.topic === 'billing', prompt.pipe(model('It costs 5.')).pipe(parser)],
        prompt.pipe(model('No idea.')).pipe(parser),
      ] as never);
      return RunnablePassthrough.assign({ topic: classify }).pipe(branch).invoke({ question: 'Cost?' }, config);
    },
    ['user: Cost?', 'assistant: It costs 5.'],
  ],
  [
    'an answer that the app changes before it gives it out',
    ({ config }) =>
      prompt
        .pipe(model())
        .pipe(parser)
        .pipe(RunnableLambda.from((text: string) => `${text}!`))
        .invoke({ question: 'Why?' }, config),
    ['user: Why?', 'assistant: Hello Ada!'],
  ],
  [
    'an answer inside an object of the app’s own shape',
    ({ config }) =>
      prompt
        .pipe(model())
        .pipe(parser)
        .pipe(RunnableLambda.from((said: string) => ({ ok: true, payload: { said } })))
        .invoke({ question: 'Why?' }, config),
    ['user: Why?', 'assistant: Hello Ada'],
  ],
  [
    'two models side by side: neither is the answer by itself',
    ({ config }) =>
      RunnableMap.from({
        joke: prompt.pipe(model('Ha')).pipe(parser),
        poem: prompt.pipe(model('Oh')).pipe(parser),
      }).invoke({ question: 'Bears?' }, config),
    ['user: Bears?'],
  ],
  [
    'a prompt and a model called by hand, one after the other',
    async ({ config }) => {
      const value = await prompt.invoke({ question: 'Why?' }, config);
      const message = await model().invoke(value, config);
      await parser.invoke(message, config);
    },
    ['user: Context: everything. Question: Why?', 'assistant: Hello Ada'],
  ],
];

describe('one record a turn', () => {
  it.concurrent.each(rows)('%s', async (_, run, transcript) => {
    await using on = await handlerOn();
    await run(on);
    expect(await on.transcript()).toEqual(transcript);
    expect(on.handler.openRuns).toBe(0);
    expect(on.losses).toEqual([]);
  });
});
