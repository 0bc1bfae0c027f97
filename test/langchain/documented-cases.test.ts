import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HumanMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { type Runnable, RunnableLambda, RunnablePassthrough } from '@langchain/core/runnables';
import { RemoteGraph } from '@langchain/langgraph/remote';
import * as langchain from 'langchain';
import { describe, expect, it } from 'vitest';
import { drain, handlerOn, isOldCore, ScriptedModel } from './support.js';

// What docs/langchain.md says of these.

const prompt = ChatPromptTemplate.fromTemplate('Question: {question}');
const parser = new StringOutputParser();
const condense = prompt.pipe(new ScriptedModel(['Why Paris?'])).pipe(parser);
const answer = prompt.pipe(new ScriptedModel(['Because.'])).pipe(parser);

describe('two chains', () => {
  it('that are called one after the other are two turns', async () => {
    await using on = await handlerOn();
    const question = await condense.invoke({ question: 'Why there?' }, on.config);
    await answer.invoke({ question }, on.config);
    expect(await on.transcript()).toEqual([
      'user: Why there?',
      'assistant: Why Paris?',
      'user: Why Paris?',
      'assistant: Because.',
    ]);
  });

  it('inside one are one turn', async () => {
    await using on = await handlerOn();
    const chat = RunnablePassthrough.assign({ question: condense as Runnable }).pipe(answer as Runnable);
    await chat.invoke({ question: 'Why there?' }, on.config);
    await drain(chat.stream({ question: 'Why there?' }, on.config));
    const turn = ['user: Why there?', 'assistant: Because.'];
    expect(await on.transcript()).toEqual([...turn, ...turn]);
  });
});

it('a RemoteGraph tells nothing by itself, and is recorded inside a lambda', async () => {
  await using on = await handlerOn();
  const messages = [
    { type: 'human', content: 'Why?', id: '1' },
    { type: 'ai', content: 'Because.', id: '2' },
  ];
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'text/event-stream');
    response.end(`event: values\ndata: ${JSON.stringify({ messages })}\n\n`);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const remote = new RemoteGraph({ graphId: 'agent', url, apiKey: 'k' });
  const input = { messages: [{ role: 'user', content: 'Why?' }] };
  try {
    await remote.invoke(input, on.config);
    expect(await on.transcript()).toEqual([]);
    await RunnableLambda.from((state: typeof input) => remote.invoke(state)).invoke(input, on.config);
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Because.']);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it.skipIf(isOldCore)(
  'with piiMiddleware, the answer is as it has left it, and the question as it was asked',
  async () => {
    await using on = await handlerOn();
    const pii = langchain.piiMiddleware('email', { strategy: 'redact', applyToInput: true, applyToOutput: true });
    const agent = langchain.createAgent({
      model: new ScriptedModel(['Write to ada@example.com']),
      tools: [],
      middleware: [pii],
    });
    await agent.invoke({ messages: [new HumanMessage('I am bob@example.com')] }, on.config);
    expect(await on.transcript()).toEqual(['user: I am bob@example.com', 'assistant: Write to [REDACTED_EMAIL]']);
  },
);
