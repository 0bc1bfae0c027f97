// What an answer says about itself, when its text is not word for word that of a model's message.

import { StringOutputParser } from '@langchain/core/output_parsers';
import { Command, interrupt, MemorySaver } from '@langchain/langgraph';
import { createAgent, humanInTheLoopMiddleware, piiMiddleware } from 'langchain';
import { expect } from 'vitest';
import { drain } from '../support.js';
import { ask, calling, graphOf, model, prompt, readThen, saying, weather } from './apps.js';
import { type Case, runCases } from './run-cases.js';

const question = { question: 'Why?' };
const usage = { input_tokens: 10, output_tokens: 4 };
const known = { model: 'scripted-1', provider: 'scripted', finish_reason: 'stop', input_tokens: 10, output_tokens: 4 };
const because = 'it is of the only call that there was';

const changed: Case[] = [
  {
    name: 'a lambda strips the answer',
    app: async on => {
      const strip = (message: { text: string }) => message.text.trim();
      return prompt
        .pipe(model({ text: '  Because. ', usage }))
        .pipe(strip as never)
        .invoke(question, on.config);
    },
    sees: 'Because.',
    transcript: ['user: Why?', 'assistant: Because.'],
    because,
    metadata: [undefined, known],
  },
  {
    name: 'a lambda writes the answer in capitals',
    app: async on => {
      const capitals = (text: string) => text.toUpperCase();
      const chain = prompt
        .pipe(model({ text: 'Because.', usage }))
        .pipe(new StringOutputParser())
        .pipe(capitals as never);
      return (await drain(chain.stream(question, on.config))).join('');
    },
    sees: 'BECAUSE.',
    transcript: ['user: Why?', 'assistant: BECAUSE.'],
    because,
    metadata: [undefined, known],
  },
  {
    name: 'a text agent cuts its answer out of the model’s text',
    app: async on => {
      const cut = (message: { text: string }) => message.text.split('Final Answer: ')[1] ?? '';
      const chain = prompt.pipe(model({ text: 'Thought: easy.\nFinal Answer: Because.', usage })).pipe(cut as never);
      return chain.invoke(question, on.config);
    },
    sees: 'Because.',
    transcript: ['user: Why?', 'assistant: Because.'],
    because,
    metadata: [undefined, known],
  },
  {
    name: 'a node masks the answer of its model',
    app: async on => {
      const graph = graphOf({
        say: async ({ messages }) => {
          const { text } = await model({ text: 'Ask ada@example.com.', usage }).invoke(messages);
          return { messages: [{ role: 'assistant', content: text.replace(/\S+@\S+/, '[email].') }] };
        },
      }).compile();
      return (await graph.invoke(ask('Why?'), on.config)).messages;
    },
    sees: ['human: Why?', 'ai: Ask [email].'],
    transcript: ['user: Why?', 'assistant: Ask [email].'],
    because,
    metadata: [undefined, known],
  },
  {
    name: 'a middleware masks the answer of an agent',
    on: '1.x',
    app: async on => {
      const agent = createAgent({
        model: model({ text: 'Ask ada@example.com.', usage }),
        tools: [weather],
        middleware: [piiMiddleware('email', { strategy: 'redact', applyToOutput: true })],
      });
      return (await agent.invoke(ask('Why?'), on.config)).messages.at(-1)?.text;
    },
    transcript: ['user: Why?', /^assistant: Ask \[REDACTED_EMAIL\]\.?$/],
    because,
    metadata: [undefined, known],
  },
  {
    name: 'two calls side by side, of which the answer is made',
    app: async on => {
      const graph = graphOf({
        say: async ({ messages }) => {
          const both = await Promise.all([
            model({ text: 'Left', usage }).invoke(messages),
            model({ text: 'Right', usage }).invoke(messages),
          ]);
          return {
            messages: [{ role: 'assistant', content: both.map(({ text }) => text.toLowerCase()).join(' and ') }],
          };
        },
      }).compile();
      return (await graph.invoke(ask('Why?'), on.config)).messages.at(-1)?.text;
    },
    sees: 'left and right',
    transcript: ['user: Why?', 'assistant: left and right'],
    because: 'the tokens of a turn are those of all its calls',
    metadata: [undefined, { input_tokens: 20, output_tokens: 8 }],
  },
];

const halves: Case[] = [
  {
    name: 'an agent waits for a decision about its tool',
    on: '1.x',
    app: async on => {
      const agent = createAgent({
        model: model({ ...calling('weather', 'Let me check.'), usage }, { text: 'It is sunny.', usage }),
        tools: [weather],
        middleware: [humanInTheLoopMiddleware({ interruptOn: { weather: true } })],
        checkpointer: new MemorySaver(),
      });
      const thread = { ...on.config, configurable: { thread_id: 't' } };
      await agent.invoke(ask('Why?'), thread);
      await agent.invoke(new Command({ resume: { decisions: [{ type: 'approve' }] } }) as never, thread);
    },
    transcript: ['user: Why?', 'assistant: It is sunny.'],
    because: 'the halves are one answer, with the tokens, steps and tools of both',
    metadata: [undefined, { input_tokens: 20, output_tokens: 8, steps: 2, tool_calls: ['weather'] }],
  },
  {
    name: 'a graph waits between its plan and its answer',
    app: async on => {
      const graph = graphOf({
        plan: async ({ messages }) => {
          await model({ text: 'First this.', usage }).invoke(messages);
          return {};
        },
        wait: () => {
          interrupt({ kind: 'approval' });
          return {};
        },
        say: saying(model({ text: 'Because.', usage })),
      }).compile({ checkpointer: new MemorySaver() });
      const thread = { ...on.config, configurable: { thread_id: 't' } };
      await graph.invoke(ask('Why?'), thread);
      await graph.invoke(new Command({ resume: true }) as never, thread);
    },
    transcript: ['user: Why?', 'assistant: Because.'],
    because: 'the halves are one answer, with the tokens and steps of both',
    metadata: [undefined, { input_tokens: 20, output_tokens: 8, steps: 2 }],
  },
];

const ends: Case[] = [
  {
    name: 'one answer ends well, another is aborted',
    app: async on => {
      const graph = (reply: object) => graphOf({ say: saying(model(reply)) }).compile();
      await graph({ text: 'Because.' }).invoke(ask('Why?'), on.config);
      const abort = new AbortController();
      const stream = graph({ text: 'It is a', wait: new Promise(() => {}) }).stream(ask('And then?'), {
        ...on.config,
        signal: abort.signal,
        streamMode: 'messages',
      });
      return readThen(stream, 3, () => abort.abort());
    },
    sees: 'It is a',
    transcript: ['user: Why?', 'assistant: Because.', 'user: And then?', 'assistant (aborted): It is a'],
    because: 'a model has one provider, whatever its end',
    check: ({ metadata }) => expect(metadata[3]?.provider).toBe(metadata[1]?.provider),
  },
];

runCases('an answer that was changed after the model', changed);
runCases('both halves of an interrupted run', halves);
runCases('one name whatever the end', ends);
