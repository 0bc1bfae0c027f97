import { AgentExecutor, createReactAgent, createToolCallingAgent } from '@langchain/classic/agents';
import {
  ConversationalRetrievalQAChain,
  ConversationChain,
  LLMChain,
  RetrievalQAChain,
  SequentialChain,
} from '@langchain/classic/chains';
import { createStuffDocumentsChain } from '@langchain/classic/chains/combine_documents';
import { createHistoryAwareRetriever } from '@langchain/classic/chains/history_aware_retriever';
import { createRetrievalChain } from '@langchain/classic/chains/retrieval';
import { BufferMemory } from '@langchain/classic/memory';
import { Document } from '@langchain/core/documents';
import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { ChatPromptTemplate, MessagesPlaceholder, PromptTemplate } from '@langchain/core/prompts';
import { BaseRetriever } from '@langchain/core/retrievers';
import { RunnablePassthrough } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { drain } from '../../langchain/support.js';
import { calling, model, recordingOn } from './support.js';

/** Finds the same document whatever it is asked. */
class Finder extends BaseRetriever {
  lc_namespace = ['test'];

  override async _getRelevantDocuments() {
    return [new Document({ pageContent: 'Bears sleep in winter.' })];
  }
}

const weather = tool(async () => 'sunny', { name: 'weather', description: 'The weather', schema: z.object({}) });

const answering = ChatPromptTemplate.fromMessages([
  ['system', 'Answer by this: {context}'],
  new MessagesPlaceholder({ variableName: 'chat_history', optional: true }),
  ['human', '{input}'],
]);

const ways: [string, (chain: never, input: object, config: object) => Promise<unknown>][] = [
  [
    'invoked',
    (chain: { invoke(input: object, config: object): Promise<unknown> }, input, config) => chain.invoke(input, config),
  ],
  [
    'streamed',
    async (chain: { stream(input: object, config: object): Promise<AsyncIterable<unknown>> }, input, config) =>
      drain(await chain.stream(input, config)),
  ],
];

describe.each(ways)('a chain of langchain’s first years, %s', (_, run) => {
  it('ConversationChain is recorded once a turn', async () => {
    await using on = await recordingOn();
    const chain = new ConversationChain({ llm: model('Hello!', 'Fine.'), memory: new BufferMemory() });
    await run(chain as never, { input: 'Hi' }, on.config);
    await run(chain as never, { input: 'How are you?' }, on.config);
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hello!', 'user: How are you?', 'assistant: Fine.']);
  });

  it('LLMChain is recorded once', async () => {
    await using on = await recordingOn();
    const chain = new LLMChain({ llm: model('Hello!'), prompt: PromptTemplate.fromTemplate('Say it: {question}') });
    await run(chain as never, { question: 'Hi' }, on.config);
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hello!']);
  });

  it('RetrievalQAChain is recorded without its documents', async () => {
    await using on = await recordingOn();
    const chain = RetrievalQAChain.fromLLM(model('They sleep.'), new Finder());
    await run(chain as never, { query: 'What do bears do?' }, on.config);
    expect(await on.transcript()).toEqual(['user: What do bears do?', 'assistant: They sleep.']);
  });

  it('ConversationalRetrievalQAChain is recorded without the question that it makes of the history', async () => {
    await using on = await recordingOn();
    const chain = ConversationalRetrievalQAChain.fromLLM(
      model('What do bears do in winter?', 'They sleep.'),
      new Finder(),
    );
    await run(
      chain as never,
      { question: 'And in winter?', chat_history: 'Human: Bears?\nAssistant: Yes.' },
      on.config,
    );
    expect(await on.transcript()).toEqual(['user: And in winter?', 'assistant: They sleep.']);
  });

  it('a retrieval chain is recorded without its documents', async () => {
    await using on = await recordingOn();
    const chain = await createRetrievalChain({
      retriever: new Finder(),
      combineDocsChain: await createStuffDocumentsChain({ llm: model('They sleep.'), prompt: answering }),
    });
    await run(chain as never, { input: 'What do bears do?' }, on.config);
    expect(await on.transcript()).toEqual(['user: What do bears do?', 'assistant: They sleep.']);
  });

  it('a retrieval chain that knows the history is recorded without the question that it makes of it', async () => {
    await using on = await recordingOn();
    const llm = model('What do bears do in winter?', 'They sleep.');
    const rephrasing = ChatPromptTemplate.fromMessages([new MessagesPlaceholder('chat_history'), ['human', '{input}']]);
    const retriever = await createHistoryAwareRetriever({ llm, retriever: new Finder(), rephrasePrompt: rephrasing });
    const combining = await createStuffDocumentsChain({ llm, prompt: answering });
    const chain = RunnablePassthrough.assign({ context: retriever as never }).assign({ answer: combining as never });
    const chat_history = [new HumanMessage('Do you know bears?'), new AIMessage('Yes.')];
    await run(chain as never, { input: 'And in winter?', chat_history }, on.config);
    expect(await on.transcript()).toEqual(['user: And in winter?', 'assistant: They sleep.']);
  });

  it('AgentExecutor is recorded without its steps', async () => {
    await using on = await recordingOn();
    const prompt = ChatPromptTemplate.fromMessages([['human', '{input}'], new MessagesPlaceholder('agent_scratchpad')]);
    const llm = model(calling('weather'), 'It is sunny.');
    const agent = createToolCallingAgent({ llm, tools: [weather], prompt });
    const executor = new AgentExecutor({ agent, tools: [weather], returnIntermediateSteps: true });
    await run(executor as never, { input: 'Weather?' }, on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
  });

  it('AgentExecutor is recorded with what a tool returns directly', async () => {
    await using on = await recordingOn();
    const direct = tool(async () => 'Sunny, all day.', {
      name: 'weather',
      description: 'The weather',
      schema: z.string(),
      returnDirect: true,
    });
    // Agents that call several tools at once have no such tools.
    const agent = await createReactAgent({
      llm: model('I should look.\nAction: weather\nAction Input: Rome', 'never asked'),
      tools: [direct],
      prompt: PromptTemplate.fromTemplate('{tools} {tool_names} {input} {agent_scratchpad}') as never,
    });
    await run(new AgentExecutor({ agent, tools: [direct] }) as never, { input: 'Weather?' }, on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: Sunny, all day.']);
  });

  it('chains in a row are one question and the last one’s answer', async () => {
    await using on = await recordingOn();
    const chain = new SequentialChain({
      chains: [
        new LLMChain({
          llm: model('A draft.'),
          prompt: PromptTemplate.fromTemplate('Draft: {question}'),
          outputKey: 'draft',
        }),
        new LLMChain({ llm: model('The answer.'), prompt: PromptTemplate.fromTemplate('Polish: {draft}') }),
      ],
      inputVariables: ['question'],
    });
    await run(chain as never, { question: 'Why?' }, on.config);
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: The answer.']);
  });
});

// A streamed one does not read its memory.
it('AgentExecutor with a memory is recorded once a turn', async () => {
  await using on = await recordingOn();
  const prompt = ChatPromptTemplate.fromMessages([
    new MessagesPlaceholder('chat_history'),
    ['human', '{input}'],
    new MessagesPlaceholder('agent_scratchpad'),
  ]);
  const llm = model(calling('weather'), 'It is sunny.', 'Still sunny.');
  const executor = new AgentExecutor({
    agent: createToolCallingAgent({ llm, tools: [weather], prompt }),
    tools: [weather],
    memory: new BufferMemory({ memoryKey: 'chat_history', returnMessages: true, outputKey: 'output' }),
  });
  await executor.invoke({ input: 'Weather?' }, on.config);
  await executor.invoke({ input: 'And now?' }, on.config);
  expect(await on.transcript()).toEqual([
    'user: Weather?',
    'assistant: It is sunny.',
    'user: And now?',
    'assistant: Still sunny.',
  ]);
});
