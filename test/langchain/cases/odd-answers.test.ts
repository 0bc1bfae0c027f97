// Answers in forms that are easily taken for none, and what is none in the form of one.

import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import { RunnableLambda } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { createAgent } from 'langchain';
import * as z from 'zod';
import { drain, type Reply, ScriptedModel } from '../support.js';
import { ask, calling, graphOf, model, prompt, saying, weather } from './apps.js';
import type { Situation } from './processes.js';
import { type Case, runCases } from './run-cases.js';

const question = { question: 'Why?' };

/** A model whose provider stops it before its first word. */
class Filtered extends ScriptedModel {
  override async _generate() {
    const message = new AIMessage({ content: '', response_metadata: { finish_reason: 'content_filter' } });
    return { generations: [{ text: '', message, generationInfo: { finish_reason: 'content_filter' } }] };
  }
}

/** A model that gives one message, whole: what a provider's package makes of odd answers. */
const giving = (fields: ConstructorParameters<typeof AIMessage>[0]) =>
  RunnableLambda.from((_: unknown) => new AIMessage(fields as object)) as unknown as ScriptedModel;

/** The ways in which a message is an answer. */
const ways: [name: string, app: (on: Situation, message: object) => Promise<unknown>][] = [
  [
    'of a graph',
    async ({ config }, message) => {
      const graph = graphOf({ say: () => ({ messages: [new AIMessage(message as never)] }) }).compile();
      return (await graph.invoke(ask('Why?'), config)).messages.length;
    },
  ],
  [
    'of a chain',
    async ({ config }, message) => {
      const chain = prompt.pipe(giving(message as never) as never);
      return ((await chain.invoke(question, config)) as BaseMessage).getType();
    },
  ],
];

function inEachWay(name: string, message: object, rest: Pick<Case, 'transcript' | 'because'>): Case[] {
  return ways.map(([way, app]) => ({ name: `${name}, ${way}`, app: on => app(on, message), ...rest }));
}

const invalid = { invalid_tool_calls: [{ name: 'weather', args: '{"city', id: 'c1', error: 'Malformed args.' }] };

const messages: Case[] = [
  ...inEachWay(
    'a text beside an invalid tool call',
    { content: 'It is sunny.', ...invalid },
    {
      transcript: ['user: Why?', 'assistant: It is sunny.'],
      because: 'an invalid tool call calls no tool, so that the text is the answer',
    },
  ),
  ...inEachWay(
    'a text beside a server’s tools',
    {
      content: [
        { type: 'server_tool_use', id: 's1', name: 'web_search', input: '' },
        { type: 'text', text: 'It is sunny.' },
      ],
      invalid_tool_calls: [{ name: 'web_search', args: '', id: 's1', error: 'Malformed args.' }],
    },
    {
      transcript: ['user: Why?', 'assistant: It is sunny.'],
      because: 'the provider ran its tool by itself, so that the text is the answer',
    },
  ),
  ...inEachWay(
    'a thought that is marked on a block of text',
    {
      content: [
        { type: 'text', thought: true, text: 'The user wants to know why.' },
        { type: 'text', text: 'Because.' },
      ],
    },
    {
      transcript: ['user: Why?', 'assistant: Because.'],
      because: 'thinking is no answer, in whatever form a provider marks it',
    },
  ),
  ...inEachWay(
    'thinking in blocks of its own',
    {
      content: [
        { type: 'thinking', thinking: 'The user wants to know why.' },
        { type: 'reasoning', reasoning: 'Hm.' },
        { type: 'text', text: 'Because.' },
      ],
    },
    { transcript: ['user: Why?', 'assistant: Because.'], because: 'thinking is no answer' },
  ),
  ...inEachWay(
    'nothing but thoughts',
    { content: [{ type: 'text', thought: true, text: 'Hm.' }] },
    {
      transcript: ['user: Why?'],
      because: 'nothing was said',
    },
  ),
  ...inEachWay(
    'a refusal',
    { content: '', additional_kwargs: { refusal: 'I can’t help with that.' } },
    {
      transcript: ['user: Why?', /^assistant( \(\w+\))?: I can’t help with that\.$/],
      because: 'the refusal is what the user reads',
    },
  ),
  ...inEachWay(
    'an image and nothing else',
    {
      content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }],
    },
    {
      transcript: ['user: Why?', /^assistant: \[image(: image\/png)?\]$/],
      because: 'an image is an answer, and its bytes stay out',
    },
  ),
  ...inEachWay(
    'an image beside a text',
    {
      content: [
        { type: 'text', text: 'Here it is.' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      ],
    },
    {
      transcript: ['user: Why?', /^assistant: Here it is\.\n+\[image(: image\/png)?\]$/],
      because: 'both were on the screen',
    },
  ),
  ...inEachWay(
    'a spoken answer',
    {
      content: '',
      additional_kwargs: { audio: { id: 'a1', data: 'AAAA', transcript: 'Because of the sky.' } },
    },
    {
      transcript: ['user: Why?', 'assistant: Because of the sky.'],
      because: 'the transcript is what was said',
    },
  ),
];

const streamed: Case[] = [
  {
    name: 'thoughts that are streamed before the answer',
    app: async on => {
      const thinking: Reply = {
        content: [
          { type: 'text', thought: true, text: 'The user wants ', index: 0 },
          { type: 'text', thought: true, text: 'to know.', index: 0 },
          { type: 'text', text: 'Because.', index: 1 },
        ],
      };
      return (await drain(model(thinking).stream('Why?', on.config))).length > 0;
    },
    transcript: ['user: Why?', 'assistant: Because.'],
    because: 'thinking is no answer',
  },
  {
    name: 'a streamed tool call whose arguments are broken ends an agent',
    app: async on => {
      const broken = new ScriptedModel(['It is sunny.'], {});
      const graph = graphOf({
        say: async ({ messages }) => {
          const message = await broken.invoke(messages);
          return {
            messages: [
              new AIMessage({ content: message.content as never, id: message.id as never, ...invalid } as never),
            ],
          };
        },
      }).compile();
      return (await graph.invoke(ask('Why?'), on.config)).messages.length;
    },
    sees: 2,
    transcript: ['user: Why?', 'assistant: It is sunny.'],
    because: 'it calls no tool, so that the text is the answer',
  },
  {
    name: 'a content filter stops an answer before its first word',
    app: async on => {
      const graph = graphOf({ say: saying(new Filtered([''])) }).compile();
      return (await graph.invoke(ask('Why?'), on.config)).messages.length;
    },
    transcript: ['user: Why?', 'assistant: [no answer: content_filter]'],
    because: 'that an answer was refused is worth a line',
  },
  {
    name: 'a content filter stops an answer of a chain before its first word',
    app: async on => ((await prompt.pipe(new Filtered([''])).invoke(question, on.config)) as BaseMessage).text,
    sees: '',
    transcript: ['user: Why?', 'assistant: [no answer: content_filter]'],
    because: 'that an answer was refused is worth a line',
  },
];

const direct = tool(async () => 'The forecast: sunny.', {
  name: 'forecast',
  description: 'f',
  schema: z.object({}),
  returnDirect: true,
});

const tools: Case[] = [
  {
    name: 'a tool of createAgent answers by itself',
    app: async on => {
      const agent = createAgent({ model: model(calling('forecast'), 'never said'), tools: [direct] as never });
      return (await agent.invoke(ask('Weather?'), on.config)).messages.at(-1)?.text;
    },
    sees: 'The forecast: sunny.',
    transcript: ['user: Weather?', 'assistant: The forecast: sunny.'],
    because: 'with returnDirect, what the tool gives is the answer',
  },
  {
    name: 'a tool of createReactAgent answers by itself',
    app: async on => {
      const agent = createReactAgent({ llm: model(calling('forecast'), 'never said'), tools: [direct] });
      return (await agent.invoke(ask('Weather?'), on.config)).messages.at(-1)?.text;
    },
    sees: 'The forecast: sunny.',
    transcript: ['user: Weather?', 'assistant: The forecast: sunny.'],
    because: 'with returnDirect, what the tool gives is the answer',
  },
  {
    name: 'a tool answers by itself behind another tool’s call, with talk on the way',
    app: async on => {
      const agent = createReactAgent({
        llm: model(calling('weather', 'Let me see.'), calling('forecast', 'One moment.'), 'never said'),
        tools: [weather, direct],
      });
      return (await drain(agent.stream(ask('Weather?'), on.config))).length > 0;
    },
    transcript: ['user: Weather?', 'assistant: The forecast: sunny.'],
    because: 'with returnDirect, what the tool gives is the answer; the rest is talk on the way',
  },
  {
    name: 'a graph ends with a tool that does not answer',
    app: async on => {
      const graph = graphOf({
        say: saying(model(calling('weather', 'Let me see.'))),
        tools: () => ({ messages: [{ role: 'tool', content: 'sunny', tool_call_id: 'call-weather' }] }),
      }).compile();
      return (await graph.invoke(ask('Weather?'), on.config)).messages.length;
    },
    transcript: ['user: Weather?', { maybe: 'assistant: Let me see.' }, { maybe: 'assistant: sunny' }],
    because: 'LangGraph does not say whether the app shows what the tool gave',
  },
];

const errors: Case[] = [
  {
    name: 'a batch that returns its errors',
    app: async on => {
      const chain = prompt.pipe(
        new ScriptedModel(messages =>
          messages[0]?.text.includes('two') ? { error: new Error('quota for ada exceeded') } : 'Because.',
        ),
      );
      const answers = await chain.batch([{ question: 'one' }, { question: 'two' }], on.config, {
        returnExceptions: true,
      });
      return answers.map(answer => (answer instanceof Error ? 'an error' : answer.text));
    },
    sees: ['Because.', 'an error'],
    transcript: [/^user: one$/, /^user( \(error\))?: two$/, 'assistant: Because.'],
    because: 'an error is no answer',
  },
  {
    name: 'a lambda returns an Error',
    app: async on => {
      const chain = prompt.pipe(RunnableLambda.from(() => new Error('quota for ada exceeded')) as never);
      return ((await chain.invoke(question, on.config)) as Error).message;
    },
    sees: 'quota for ada exceeded',
    transcript: [/^user( \(error\))?: Why\?$/],
    because: 'an error is no answer',
  },
  {
    name: 'a model behind which an Error is returned',
    app: async on => {
      const chain = prompt.pipe(model('Because.')).pipe(RunnableLambda.from(() => new Error('not polite')) as never);
      return ((await chain.invoke(question, on.config)) as Error).message;
    },
    sees: 'not polite',
    transcript: [/^user( \(error\))?: Why\?$/],
    because: 'an error is no answer, and the model’s text does not stand in',
  },
  {
    name: 'a graph whose state holds an Error where the answer stands',
    app: async on => {
      const chain = RunnableLambda.from(() => ({ answer: new Error('quota for ada exceeded') }));
      return Object.keys(await chain.invoke(question as never, on.config));
    },
    sees: ['answer'],
    transcript: [/^user( \(error\))?: Why\?$/],
    because: 'an error is no answer',
  },
];

runCases('an answer in an odd form', messages);
runCases('an odd answer that is streamed', streamed);
runCases('a tool that answers by itself', tools);
runCases('an Error is no answer', errors);
