// The formats that `import` reads: what becomes of each message, and of its key.

import {
  AIMessage,
  HumanMessage,
  mapChatMessagesToStoredMessages,
  SystemMessage,
  ToolMessage,
} from '@langchain/core/messages';
import type { UIMessage as UIMessage7 } from 'ai';
import type { UIMessage as UIMessage5 } from 'ai5';
import type { UIMessage as UIMessage6 } from 'ai6';
import { conversationUuid } from 'synap-recorder';
import { expect, test } from 'vitest';
import { IMPORT_FORMATS, readRecord, recordsIn } from '../../src/cli/import/format.js';
import { inputRecords } from '../../src/cli/import/input-records.js';
import { aMessage, type Json, readConversation, recordBatch, start } from '../support.js';
import { aFile } from './import-support.js';
import { envOf, runCli } from './support.js';

const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const defaults = { identity: {}, scope: 'user' } as const;

/** What a record becomes: of each message its role, text and metadata, without what is the same for all. */
function read(record: unknown, identity: Json = {}) {
  const { messages, leftOut } = readRecord(record, undefined, { ...defaults, identity }, 1);
  return {
    leftOut,
    conversations: new Set(messages.map(({ message }) => message.conversationId)).size,
    said: messages.map(({ message: { role, content, metadata = {} } }) => {
      const { message_key: _, turn_id: __, recorder_version: ___, framework: ____, ...rest } = metadata;
      return [role, content, rest];
    }),
  };
}

test("OpenAI's messages: text, images, refusals, tools and times", () => {
  const { leftOut, said } = read({
    id: 'chat-1',
    user: 'ada',
    model: 'gpt-5',
    metadata: { topic: 'cats' },
    messages: [
      { role: 'developer', content: 'Be brief' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: PNG } },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
        ],
        created_at: 1_767_225_600,
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'a cat' },
      {
        role: 'assistant',
        content: 'A cat.',
        usage: { prompt_tokens: 9, completion_tokens: 3 },
        finish_reason: 'stop',
      },
      { role: 'user', content: 'And this?' },
      { role: 'assistant', content: null, refusal: 'I must not say.' },
    ],
  });
  const external = { external_conversation_id: 'chat-1', topic: 'cats' };
  expect(leftOut).toEqual(['system', 'empty', 'tool']);
  expect(said).toEqual([
    [
      'user',
      'What is this?\n[image: image/png]\n[audio: audio/wav]',
      {
        ...external,
        started_at: '2026-01-01T00:00:00.000Z',
        attachments: [{ media_type: 'image/png' }, { media_type: 'audio/wav' }],
      },
    ],
    [
      'assistant',
      'A cat.',
      { ...external, model: 'gpt-5', input_tokens: 9, output_tokens: 3, finish_reason: 'stop', tool_calls: ['look'] },
    ],
    ['user', 'And this?', external],
    ['assistant', 'I must not say.', { ...external, model: 'gpt-5' }],
  ]);
});

type AnyUIMessage = UIMessage5 | UIMessage6 | UIMessage7;

test('UI messages of the AI SDK 5, 6 and 7, as a list or with their chat', () => {
  const messages = [
    { id: 's', role: 'system', parts: [{ type: 'text', text: 'Be brief' }] },
    {
      id: 'm1',
      role: 'user',
      parts: [
        { type: 'text', text: 'Look' },
        { type: 'file', mediaType: 'image/png', filename: 'a.png', url: 'https://files.test/a.png' },
        { type: 'file', mediaType: 'application/pdf', url: 'data:application/pdf;base64,AAAA' },
      ],
    },
    {
      id: 'm2',
      role: 'assistant',
      metadata: { createdAt: '2026-01-01T00:00:00Z', model: 'gpt-5', totalTokens: 12, mood: 'good' },
      parts: [
        { type: 'step-start' },
        { type: 'reasoning', text: 'hm' },
        { type: 'text', text: 'Let me see. ' },
        { type: 'tool-weather', toolCallId: 'c', state: 'output-available', input: {}, output: 1 },
        { type: 'dynamic-tool', toolName: 'maps', toolCallId: 'd', state: 'output-available', input: {}, output: 1 },
        { type: 'step-start' },
        { type: 'text', text: 'Sunny.', state: 'done' },
        { type: 'data-chart', data: {} },
      ],
    },
  ] satisfies AnyUIMessage[];
  const whole = read({ id: 'chat-1', userId: 'ada', messages });
  expect(whole.leftOut).toEqual(['system']);
  expect(whole.said).toEqual([
    [
      'user',
      'Look\n[image: image/png]\n[file: application/pdf]',
      {
        external_conversation_id: 'chat-1',
        attachments: [
          { media_type: 'image/png', filename: 'a.png', url: 'https://files.test/a.png' },
          { media_type: 'application/pdf' },
        ],
      },
    ],
    [
      'assistant',
      'Let me see. \n\nSunny.',
      {
        external_conversation_id: 'chat-1',
        createdAt: '2026-01-01T00:00:00Z',
        mood: 'good',
        totalTokens: 12,
        started_at: '2026-01-01T00:00:00.000Z',
        model: 'gpt-5',
        total_tokens: 12,
        tool_calls: ['weather', 'maps'],
      },
    ],
  ]);
  const list = read(messages, { userId: 'ada', conversationId: 'chat-1' });
  expect(list).toEqual(whole);
});

test.each([
  ['stored', mapChatMessagesToStoredMessages],
  ['serialised', (messages: object[]) => JSON.parse(JSON.stringify(messages))],
])("LangChain's messages, %s", (_, store) => {
  const messages = store([
    new SystemMessage('Be brief'),
    new HumanMessage({
      id: 'h1',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: PNG } },
      ],
    }),
    new AIMessage({ content: '', tool_calls: [{ id: 'c', name: 'look', args: {} }] }),
    new ToolMessage({ content: 'a cat', tool_call_id: 'c' }),
    new AIMessage({
      content: [
        { type: 'text', text: 'A ' },
        { type: 'text', text: 'cat.' },
      ],
      response_metadata: { model_name: 'gpt-5', finish_reason: 'stop' },
      usage_metadata: { input_tokens: 3, output_tokens: 4, total_tokens: 7, input_token_details: { cache_read: 2 } },
    }),
    new HumanMessage('Draw it'),
    new AIMessage({ content: [{ type: 'image_url', image_url: { url: PNG } }] }),
    new HumanMessage('Draw me'),
    new AIMessage({ content: '', additional_kwargs: { refusal: 'I can’t.' } }),
  ]);
  const { leftOut, said } = read({ session_id: 's-1', user_id: 'ada', messages });
  const external = { external_conversation_id: 's-1' };
  expect(leftOut).toEqual(['system', 'empty', 'tool']);
  expect(said).toEqual([
    ['user', 'What is this?\n[image: image/png]', { ...external, attachments: [{ media_type: 'image/png' }] }],
    [
      'assistant',
      'A cat.',
      {
        ...external,
        model: 'gpt-5',
        finish_reason: 'stop',
        input_tokens: 3,
        output_tokens: 4,
        total_tokens: 7,
        cached_input_tokens: 2,
        tool_calls: ['look'],
      },
    ],
    ['user', 'Draw it', external],
    ['assistant', '[image: image/png]', { ...external, attachments: [{ media_type: 'image/png' }] }],
    ['user', 'Draw me', external],
    ['assistant', 'I can’t.', external],
  ]);
});

test('keys are those of the conversation, the message and its place, and nothing else', () => {
  const keys = (record: unknown, identity: Json = { userId: 'ada' }) =>
    readRecord(record, undefined, { ...defaults, identity }, 1).messages.map(({ key }) => key);
  const messages = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
    { role: 'user', content: 'Hi' },
  ];
  const first = keys({ id: 'a', messages });
  expect(new Set(first).size).toBe(3);
  expect(keys({ id: 'a', messages, model: 'other' })).toEqual(first);
  expect(keys({ id: 'a', messages: [{ role: 'system', content: 'new' }, ...messages] })).toEqual(first);
  expect(keys({ id: 'a', messages: messages.slice(0, 2) })).toEqual(first.slice(0, 2));
  for (const other of [keys({ id: 'b', messages }), keys({ id: 'a', messages }, { userId: 'eve' })])
    expect(other.some(key => first.includes(key))).toBe(false);
  // Without an id, all that was said is the name.
  expect(keys({ messages })).toEqual(keys({ messages }));
  expect(keys({ messages })).not.toEqual(keys({ messages: messages.slice(0, 2) }));
});

test('a turn is what the user says and all that answers it', () => {
  const { messages } = readRecord(
    {
      id: 'a',
      user: 'ada',
      messages: ['user', 'user', 'assistant', 'assistant', 'user', 'assistant'].map((role, index) => ({
        role,
        content: `${index}`,
      })),
    },
    undefined,
    defaults,
    1,
  );
  const turns = messages.map(({ message }) => message.metadata?.turn_id);
  expect(turns.map(turn => turns.indexOf(turn))).toEqual([0, 0, 0, 0, 4, 4]);
});

test('a conversation of another scope has the UUID that the recorder gives it', () => {
  const record = { id: 'room', user: 'ada', customer_id: 'acme', messages: [{ role: 'user', content: 'Hi' }] };
  for (const scope of ['user', 'customer', 'app'] as const) {
    const [first] = readRecord(record, undefined, { identity: {}, scope }, 1).messages;
    expect(first?.message.conversationId).toBe(conversationUuid('room', { userId: 'ada', customerId: 'acme', scope }));
  }
});

test.each([
  ['an array over several lines', JSON.stringify([{ a: 1 }, { a: 2 }], null, 2), [[{ a: 1 }, { a: 2 }]]],
  ['an array on one line', '[1,2]', [[1, 2]]],
  ['an object over several lines', '{\n"a": 1\n}', [{ a: 1 }]],
  ['lines, some empty, the last without a break', '{"a":1}\n\n \r\n{"a":2}', [{ a: 1 }, { a: 2 }]],
  ['a byte order mark', '\ufeff{"a":1}\n', [{ a: 1 }]],
  ['U+2028 inside a text', '{"a":"\u2028"}\n{"a":2}', [{ a: '\u2028' }, { a: 2 }]],
  ['a bad first line among good ones', '{"a":\n{"a":2}\n', ['1: is not JSON', { a: 2 }]],
  ['nothing', '', []],
])('%s can be read', async (_, input, expected) => {
  // In pieces, as a file comes.
  async function* pieces() {
    for (const byte of Buffer.from(input)) yield Uint8Array.of(byte);
  }
  const records: unknown[] = [];
  for await (const { line, content } of inputRecords(pieces()))
    records.push('value' in content ? content.value : `${line}: ${content.problem}`);
  expect(records).toEqual(expected);
});

test('a line that is longer than may be held is one bad line', async () => {
  async function* pieces() {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    yield Buffer.from('{"a":1}\n"');
    for (let mib = 0; mib < 70; mib++) yield chunk;
    yield Buffer.from('"\n{"a":2}\n');
  }
  const records: unknown[] = [];
  for await (const record of inputRecords(pieces())) records.push(record);
  expect(records).toEqual([
    { line: 1, content: { value: { a: 1 } } },
    { line: 2, content: { problem: 'is longer than 64 MiB' } },
    { line: 3, content: { value: { a: 2 } } },
  ]);
});

test('a list is one conversation when its elements are messages, and many when they are conversations', () => {
  const messages = [{ role: 'user', content: 'Hi' }];
  expect(recordsIn(messages)).toEqual([messages]);
  expect(recordsIn([{ messages }, { messages }])).toHaveLength(2);
  expect(recordsIn([messages, messages])).toHaveLength(2);
});

test('--format is taken at its word', async () => {
  const file = aFile([{ user: 'ada', messages: [{ role: 'user', content: 'Hi' }] }]);
  const synap = await start();
  expect((await runCli(['import', file, '--format', 'langchain'], { env: envOf(synap) })).code).toBe(0);
  const { code, stderr } = await runCli(['import', file, '--format', 'synap'], { env: envOf(synap) });
  expect({ code, stderr }).toEqual({ code: 3, stderr: 'line 1 is not an exported message\n' });
  expect(IMPORT_FORMATS).toHaveLength(4);
});

test('export, import, export: the same texts, keys and metadata', async () => {
  const [one, two, three] = [await start(), await start(), await start({ tenancy: 'b2b' })];
  const conversation_id = conversationUuid('chat-42', { userId: 'ada' });
  const metadata = {
    message_key: 'k',
    model: 'gpt-5',
    latency_ms: 812,
    tool_calls: ['a'],
    mine: { deep: [1, null, 'x'] },
  };
  await recordBatch(one, [
    aMessage({
      conversation_id,
      content: 'Hi \u0000 \u2028 \u{1f600}',
      session_id: 's',
      metadata: { message_key: 'j', turn_id: 't' },
    }),
    aMessage({ conversation_id, role: 'assistant', content: 'x'.repeat(400_000), metadata }),
    aMessage({ conversation_id, content: 'no key', metadata: { mine: 1 } }),
    aMessage({ conversation_id, content: 'no key' }),
    aMessage({ content: 'another' }),
  ]);
  const first = await runCli(['export'], { env: envOf(one) });
  const file = aFile([first.stdout.trimEnd()]);
  for (const synap of [two, three])
    expect(await runCli(['import', file], { env: envOf(synap) })).toEqual({
      code: 0,
      stdout: `5 messages recorded into ${synap.url}\n`,
      stderr: '',
    });
  const again = await runCli(['export'], { env: envOf(two) });
  const parsed = (stdout: string): Json[] =>
    stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
  // The receipt is the server's own. What had no key has one now, and tells when it was said.
  const kept = ({ message_id, recorded_at, ...message }: Json) => message;
  const expected = parsed(first.stdout).map(({ message_id, recorded_at, ...message }) => {
    const own = message.metadata as Json;
    return {
      ...message,
      metadata: own.message_key ? own : { started_at: recorded_at, ...own, message_key: message_id },
    };
  });
  expect(parsed(again.stdout).map(kept)).toEqual(expected);
  expect(parsed((await runCli(['export'], { env: envOf(three) })).stdout).map(kept)).toEqual(expected);

  // From now on nothing changes any more.
  const four = await start();
  await runCli(['import', aFile([again.stdout.trimEnd()])], { env: envOf(four) });
  const last = await runCli(['export'], { env: envOf(four) });
  expect(parsed(last.stdout).map(kept)).toEqual(parsed(again.stdout).map(kept));
  expect((await readConversation(four, conversation_id)).body.messages).toHaveLength(4);
});
