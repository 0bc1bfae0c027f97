// One message on the screen over several requests: its halves name each other by the ids of the calls between them.

import { expect } from 'vitest';
import * as z from 'zod/v4';
import { type Case, readText, runCases, type Situation } from './run-cases.js';

const inputSchema = z.object({});
const client = { ask: { inputSchema } };
const approved = { pay: { inputSchema, needsApproval: true, execute: async () => 'paid' } };
const server = { weather: { inputSchema, execute: async () => 'sunny' } };

const bookIt = { role: 'user', content: 'Book it' };
const called = (text: string, toolName: string, toolCallId = 'call-1') => ({
  role: 'assistant',
  content: [
    { type: 'text', text },
    { type: 'tool-call', toolCallId, toolName, input: {} },
  ],
});
const result = (toolName: string, toolCallId = 'call-1') => ({
  role: 'tool',
  content: [{ type: 'tool-result', toolCallId, toolName, output: { type: 'text', value: 'yes' } }],
});

type Fn = 'generateText' | 'streamText';

async function ask({ sdk, model, major }: Situation, fn: Fn, messages: object[], tools: object, steps = 5) {
  const options = { model, messages, tools, stopWhen: major.steps(steps) } as never;
  if (fn === 'generateText') return sdk.generateText(options);
  const stream = sdk.streamText(options);
  await readText(stream.textStream);
  return { response: await stream.response };
}

const stitched = (...parts: string[]) => ({
  transcript: ['user: Book it', new RegExp(`^assistant: ${parts.join('\\s*')}$`)],
  because: 'in one process, the model alone waits for the tool, and sees one answer',
});

const asked: Case['script'] = [['I need to ask.', { tool: 'ask' }], ['Thanks.']];
const paying: Case['script'] = [['May I?', { tool: 'pay' }], ['Done.']];

const halves = (fn: Fn): Case[] => [
  {
    name: `${fn}: a tool of the client's is answered in a second request`,
    script: asked,
    app: async on => {
      await ask(on, fn, [bookIt], client);
      await ask(on, fn, [bookIt, called('I need to ask.', 'ask'), result('ask')], client);
    },
    transcript: ['user: Book it', 'assistant: I need to ask.', 'assistant: Thanks.'],
    metadata: [
      undefined,
      { status: 'complete', pending_tool_calls: ['call-1'] },
      { continues_tool_calls: ['call-1'], continues: expect.stringMatching(/:assistant$/), tool_calls: ['ask'] },
    ],
    because: 'two requests, each with its part of the answer; the tool ran before the second',
    modelAlone: stitched('I need to ask\\.', 'Thanks\\.'),
  },
  {
    name: `${fn}: a tool waits for an approval, and runs in the second request`,
    majors: ['ai 6', 'ai 7'],
    script: paying,
    app: async on => {
      const { response } = await ask(on, fn, [bookIt], approved);
      const { messages } = response as { messages: { content: { type: string; approvalId?: string }[] }[] };
      const request = messages.flatMap(({ content }) => content).find(({ type }) => type === 'tool-approval-request');
      const response_ = { type: 'tool-approval-response', approvalId: request?.approvalId, approved: true };
      await ask(on, fn, [bookIt, ...messages, { role: 'tool', content: [response_] }], approved);
    },
    transcript: ['user: Book it', 'assistant: May I?', 'assistant: Done.'],
    metadata: [
      undefined,
      { pending_tool_calls: ['call-1'] },
      { continues_tool_calls: ['call-1'], tool_calls: ['pay'] },
    ],
    because: 'the tool that ran is named in the half that ran it',
    modelAlone: stitched('May I\\?', 'Done\\.'),
  },
  {
    name: `${fn}: an approval is denied`,
    majors: ['ai 6', 'ai 7'],
    script: paying,
    app: async on => {
      const { response } = await ask(on, fn, [bookIt], approved);
      const { messages } = response as { messages: { content: { type: string; approvalId?: string }[] }[] };
      const request = messages.flatMap(({ content }) => content).find(({ type }) => type === 'tool-approval-request');
      const response_ = { type: 'tool-approval-response', approvalId: request?.approvalId, approved: false };
      await ask(on, fn, [bookIt, ...messages, { role: 'tool', content: [response_] }], approved);
    },
    transcript: ['user: Book it', 'assistant: May I?', 'assistant: Done.'],
    metadata: [undefined, { pending_tool_calls: ['call-1'] }, { continues_tool_calls: ['call-1'] }],
    because: 'nothing ran, and the answer goes on all the same',
    modelAlone: stitched('May I\\?', 'Done\\.'),
  },
  {
    name: `${fn}: a tool of the server's ran before the client's`,
    script: [['First.', { tool: 'weather', id: 'call-0' }], ['Then.', { tool: 'ask' }], ['Thanks.']],
    app: async on => {
      const tools = { ...client, ...server };
      await ask(on, fn, [bookIt], tools);
      const first = [called('First.', 'weather', 'call-0'), result('weather', 'call-0')];
      await ask(on, fn, [bookIt, ...first, called('Then.', 'ask'), result('ask')], tools);
    },
    transcript: ['user: Book it', /^assistant: First\.\s*Then\.$/, 'assistant: Thanks.'],
    metadata: [
      undefined,
      { pending_tool_calls: ['call-1'], tool_calls: ['weather'] },
      { continues_tool_calls: ['call-1'], tool_calls: ['ask'] },
    ],
    because: 'each half names the tools that ran in it',
    modelAlone: stitched('First\\.', 'Then\\.', 'Thanks\\.'),
  },
  {
    name: `${fn}: a loop stops after a tool of the server's`,
    script: [['Let me check.', { tool: 'weather' }]],
    app: on => ask(on, fn, [bookIt], server, 1).then(() => {}),
    transcript: ['user: Book it', 'assistant: Let me check.'],
    metadata: [undefined, { tool_calls: ['weather'], status: 'complete', finish_reason: 'tool-calls' }],
    because: 'the tool has run: nobody is waited for',
    modelAlone: false,
  },
  {
    name: `${fn}: the user says something else instead of answering`,
    script: [['I need to ask.', { tool: 'ask' }], ['Never mind.']],
    app: async on => {
      await ask(on, fn, [bookIt], client);
      const messages = [bookIt, called('I need to ask.', 'ask'), result('ask'), { role: 'user', content: 'Stop' }];
      await ask(on, fn, messages, client);
    },
    transcript: ['user: Book it', 'assistant: I need to ask.', 'user: Stop', 'assistant: Never mind.'],
    metadata: [undefined, { status: 'complete', pending_tool_calls: ['call-1'] }],
    because: 'a new message of the user has an answer of its own',
  },
];

type Result = ReturnType<Situation['sdk']['streamText']>;
type Read = (result: Result) => Promise<unknown>;

const reads: Record<string, Read> = {
  'its parts': async ({ fullStream }) => {
    for await (const _ of fullStream);
  },
  'the chunks for a browser': async result => void (await result.toUIMessageStreamResponse().text()),
  'the promise of its text': async ({ text }) => text,
};

const streams =
  (name: 'streamText' | 'experimental_streamTextLowMemory', read: Read, further: object = {}): Case['app'] =>
  async ({ sdk, model }) => {
    const tools = { ...client, ...server };
    const fn = (sdk as unknown as Record<typeof name, (options: object) => Result>)[name];
    await read(fn({ model, messages: [bookIt], tools, ...further }));
    const messages = [bookIt, called('I need to ask.', 'ask'), result('ask')];
    await read(fn({ model, messages, tools, ...further }));
  };

const agent: Case['app'] = async ({ sdk, model }) => {
  const { ToolLoopAgent, Experimental_Agent } = sdk as unknown as Record<
    string,
    new (
      settings: object,
    ) => { stream(options: object): Promise<Result> }
  >;
  const Agent = ToolLoopAgent ?? Experimental_Agent;
  if (!Agent) throw new Error('this major has no agents');
  for (const messages of [[bookIt], [bookIt, called('I need to ask.', 'ask'), result('ask')]]) {
    const stream = await new Agent({ model, tools: { ...client, ...server } }).stream({ messages });
    await readText(stream.textStream);
  }
};

const lowMemory = 'experimental_streamTextLowMemory';
const readers: [string, Case['app'], Case['majors']?][] = [
  ...Object.entries(reads).map(([name, read]): [string, Case['app']] => [name, streams('streamText', read)]),
  ['an agent’s text', agent],
  [
    'its parts, of a call that is tried again',
    streams('streamText', reads['its parts'] as Read, { streamRetries: 1 }),
    ['ai 7'],
  ],
  ['its parts, with low memory', streams(lowMemory, reads['its parts'] as Read), ['ai 7']],
];

const halvesByReader = readers.map(
  ([name, app, majors]): Case => ({
    name: `a client's tool and a server's in one step, by ${name}`,
    script: [['I need to ask.', { tool: 'weather', id: 'call-0' }, { tool: 'ask' }], ['Thanks.']],
    app,
    transcript: ['user: Book it', 'assistant: I need to ask.', 'assistant: Thanks.'],
    metadata: [
      undefined,
      { status: 'complete', pending_tool_calls: ['call-1'], tool_calls: ['weather'] },
      { continues_tool_calls: ['call-1'], tool_calls: ['ask'] },
    ],
    because: 'whichever stream is read, the same calls wait',
    modelAlone: false,
    majors,
  }),
);

runCases('halves of one message', [...halves('generateText'), ...halves('streamText'), ...halvesByReader]);
