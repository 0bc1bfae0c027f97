import { AIMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { RunnableLambda } from '@langchain/core/runnables';
import { describe, expect, it } from 'vitest';
import type { SynapCallbackHandlerOptions } from '../../src/langchain/index.js';
import { handlerOn, ScriptedModel } from './support.js';

/** A chain that takes this and gives that. */
const giving = (output: unknown) => RunnableLambda.from(async (_: unknown) => output);

/** What is recorded of a chain that takes and gives this. */
async function recorded(input: unknown, output: unknown, options: SynapCallbackHandlerOptions = {}) {
  await using on = await handlerOn(options);
  await giving(output).invoke(input, on.config);
  return { transcript: await on.transcript(), notices: on.notices, stored: on.synap.stored };
}

/** A model that gives this message, whole. */
class FixedModel extends ScriptedModel {
  readonly #message: AIMessage;
  readonly #info: object;

  constructor(message: AIMessage, info: object = {}) {
    super([]);
    this.#message = message;
    this.#info = info;
  }

  override async _generate() {
    return { generations: [{ text: '', message: this.#message, generationInfo: { ...this.#info } }] };
  }
}

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ';

describe('what the user said', () => {
  const history = [new HumanMessage('Old'), new AIMessage('Older')];
  const template = ChatPromptTemplate.fromMessages([
    ['system', 'Be brief'],
    ['human', 'Hi'],
  ]);

  it.each<[name: string, input: unknown, said: string[]]>([
    ['a string', 'Hi', ['Hi']],
    ['a message', new HumanMessage('Hi'), ['Hi']],
    ['a list of messages', [...history, new HumanMessage('Hi')], ['Hi']],
    ['several messages at the end', [...history, new HumanMessage('Hi'), new HumanMessage('There?')], ['Hi', 'There?']],
    ['a message before an instruction', [new HumanMessage('Hi'), new SystemMessage('Be brief')], ['Hi']],
    ['a list that ends with an answer', history, []],
    ['an object with messages', { messages: [...history, new HumanMessage('Hi')] }, ['Hi']],
    [
      'messages as plain objects',
      {
        messages: [
          { role: 'assistant', content: 'Old' },
          { role: 'user', content: 'Hi' },
        ],
      },
      ['Hi'],
    ],
    [
      'messages by type',
      {
        messages: [
          { type: 'ai', content: 'Old' },
          { type: 'human', content: 'Hi' },
        ],
      },
      ['Hi'],
    ],
    [
      'messages as tuples',
      {
        messages: [
          ['ai', 'Old'],
          ['human', 'Hi'],
        ],
      },
      ['Hi'],
    ],
    ['messages as strings', { messages: ['Hi'] }, ['Hi']],
    ['one message for a list', { messages: { role: 'user', content: 'Hi' } }, ['Hi']],
    ['a string for a list', { messages: 'Hi' }, ['Hi']],
    ['a message of another role by name', { messages: [new ChatMessage('Hi', 'user')] }, ['Hi']],
    ['messages as JSON', JSON.parse(JSON.stringify({ messages: [...history, new HumanMessage('Hi')] })), ['Hi']],
    ['messages as a history stores them', { messages: [new HumanMessage('Hi').toDict()] }, ['Hi']],
    ['a message of an older copy of LangChain', { messages: [{ _getType: () => 'human', content: 'Hi' }] }, ['Hi']],
    ['a key beside the history', { input: 'Hi', chat_history: history }, ['Hi']],
    ['a key beside messages that end with an answer', { question: 'Hi', messages: history }, ['Hi']],
    ['messages under a key', { input: [...history, new HumanMessage('Hi')] }, ['Hi']],
    ['a key in the input', { input: { question: 'Hi', language: 'French' } }, ['Hi']],
    ['the only text', { topic: 'Hi', count: 3 }, ['Hi']],
    ['one of several texts, none of them known', { language: 'French', style: 'dry' }, []],
    ['documents', ['One page', 'Another page'], []],
    ['nothing', null, []],
    ['a command', { lg_name: 'Command', resume: 'yes' }, []],
    ['the end of a tool’s work', { messages: [new HumanMessage('Hi'), new ToolMessage('ok', 'id')] }, []],
    ['an empty text', { input: '', other: 1 }, []],
  ])('is found in %s', async (_, input, said) => {
    const { transcript } = await recorded(input, { done: true });
    expect(transcript).toEqual(said.map(text => `user: ${text}`));
  });

  it('is found in a prompt', async () => {
    await using on = await handlerOn();
    await new ScriptedModel(['Hello']).invoke(await template.invoke({}), on.config);
    await RunnableLambda.from((_: unknown) => 'Hello').invoke(await template.invoke({}), on.config);
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hello', 'user: Hi', 'assistant: Hello']);
  });

  it('is what the first model was asked, where the input does not say', async () => {
    await using on = await handlerOn();
    const chain = RunnableLambda.from((_: object) => 'Tell me about bears').pipe(new ScriptedModel(['Bears…']));
    await chain.invoke({ a: 'x', b: 'y' }, on.config);
    expect(await on.transcript()).toEqual(['user: Tell me about bears', 'assistant: Bears…']);
  });

  it.each<[name: string, block: Record<string, unknown>, content: string, attachment: object]>([
    [
      'an image URL',
      { type: 'image_url', image_url: { url: 'https://a.b/c.png' } },
      '[image]',
      { media_type: 'image', url: 'https://a.b/c.png' },
    ],
    [
      'an image URL as a string',
      { type: 'image_url', image_url: 'https://a.b/c.png' },
      '[image]',
      { media_type: 'image', url: 'https://a.b/c.png' },
    ],
    [
      'an image in a data URL',
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
      '[image: image/png]',
      { media_type: 'image/png' },
    ],
    [
      'a standard image',
      { type: 'image', mimeType: 'image/png', data: PNG },
      '[image: image/png]',
      { media_type: 'image/png' },
    ],
    [
      'a standard image of 0.3',
      { type: 'image', source_type: 'base64', mime_type: 'image/png', data: PNG },
      '[image: image/png]',
      { media_type: 'image/png' },
    ],
    [
      'an image of Anthropic’s',
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
      '[image: image/png]',
      { media_type: 'image/png' },
    ],
    [
      'a file of OpenAI’s',
      { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PNG}` } },
      '[file: application/pdf]',
      { media_type: 'application/pdf', filename: 'a.pdf' },
    ],
    [
      'a standard file with a name',
      { type: 'file', mimeType: 'application/pdf', data: PNG, metadata: { filename: 'a.pdf' } },
      '[file: application/pdf]',
      { media_type: 'application/pdf', filename: 'a.pdf' },
    ],
    [
      'audio',
      { type: 'input_audio', input_audio: { data: PNG, format: 'wav' } },
      '[audio: audio/wav]',
      { media_type: 'audio/wav' },
    ],
    [
      'a file of Google’s',
      { inlineData: { mimeType: 'image/webp', data: PNG } },
      '[image: image/webp]',
      { media_type: 'image/webp' },
    ],
  ])('may be %s, which is named and described, and whose bytes stay here', async (_, block, content, attachment) => {
    const message = { role: 'user', content: [{ type: 'text', text: 'Look:' }, block] };
    const { stored } = await recorded({ messages: [message] }, 'Nice');
    expect(stored[0]).toMatchObject({ role: 'user', content: `Look:\n${content}` });
    expect(stored[0]?.metadata?.attachments).toEqual([attachment]);
    expect(JSON.stringify(stored)).not.toContain(PNG);
  });

  it('may be an image alone, sent to a model', async () => {
    await using on = await handlerOn();
    const image = { type: 'image', mimeType: 'image/png', data: PNG };
    await new ScriptedModel(['A cat']).invoke([new HumanMessage({ content: [image] })], on.config);
    expect(await on.transcript()).toEqual(['user: [image: image/png]', 'assistant: A cat']);
  });
});

describe('what the app answered', () => {
  const said = { messages: [new HumanMessage('Hi')] };
  const called = new AIMessage({ content: 'Let me check.', tool_calls: [{ name: 'w', args: {}, id: '1' }] });

  it.each<[name: string, output: unknown, answer: string | undefined]>([
    ['a string', 'Hello', 'Hello'],
    ['a message', new AIMessage('Hello'), 'Hello'],
    [
      'a message in blocks',
      new AIMessage({
        content: [
          { type: 'text', text: 'Hel' },
          { type: 'text', text: 'lo' },
        ],
      }),
      'Hello',
    ],
    [
      'a message with thinking',
      new AIMessage({
        content: [
          { type: 'thinking', thinking: 'Hm' },
          { type: 'reasoning', reasoning: 'Hm' },
          { type: 'text', text: 'Hello' },
        ],
      }),
      'Hello',
    ],
    ['a message that calls a tool', called, undefined],
    [
      'a plain message that calls a tool',
      { role: 'assistant', content: 'Wait', tool_calls: [{ function: { name: 'w' } }] },
      undefined,
    ],
    ['an empty message', new AIMessage(''), undefined],
    ['an empty string', '', undefined],
    ['the last message', { messages: [...said.messages, new AIMessage('Hello')] }, 'Hello'],
    [
      'messages after which a critic speaks as a human',
      { messages: [...said.messages, new AIMessage('Hello'), new HumanMessage('Well said')] },
      'Hello',
    ],
    [
      'the last message with a text',
      { messages: [...said.messages, new AIMessage('Hello'), new AIMessage('')] },
      'Hello',
    ],
    [
      'plain messages',
      {
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Hello' },
        ],
      },
      'Hello',
    ],
    ['a state that waits for a tool', { messages: [...said.messages, new AIMessage('Well'), called] }, undefined],
    [
      'a state of an earlier turn',
      { messages: [new HumanMessage('Old'), new AIMessage('Older'), ...said.messages] },
      undefined,
    ],
    ['a known key', { answer: 'Hello', sources: ['a', 'b'] }, 'Hello'],
    ['a known key with a message', { response: new AIMessage('Hello'), score: 1 }, 'Hello'],
    ['a known key one level down', { output: { answer: 'Hello' } }, 'Hello'],
    ['messages in a list', [...said.messages, new AIMessage('Hello')], 'Hello'],
    ['nothing', undefined, undefined],
  ])('is found in %s', async (_, output, answer) => {
    const { transcript, notices } = await recorded(said, output);
    expect(transcript).toEqual(['user: Hi', ...(answer === undefined ? [] : [`assistant: ${answer}`])]);
    expect(notices).toEqual([]);
  });

  const png = { type: 'image', mimeType: 'image/png', data: PNG };
  const speaks = { audio: { id: 'a', data: PNG, transcript: 'Hello' } };
  const answering = (fields: object) => new AIMessage({ content: '', ...fields } as never);

  it.each<[name: string, message: AIMessage, answer: string, attachments: object[] | undefined]>([
    [
      'a text after a thought of the type `text`',
      answering({
        content: [
          { type: 'text', text: 'Hm', thought: true },
          { type: 'text', text: 'Hello' },
        ],
      }),
      'Hello',
      undefined,
    ],
    [
      'a text after thoughts of Bedrock’s and Anthropic’s',
      answering({
        content: [
          { type: 'reasoning_content', reasoningText: { text: 'Hm' } },
          { type: 'redacted_thinking', data: 'Hm' },
          { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] },
          { type: 'text', text: 'Hello' },
        ],
      }),
      'Hello',
      undefined,
    ],
    [
      'a text after a thought that LangChain takes out of it',
      answering({ content: '<think>\nHm\n</think>\n\nHello', response_metadata: { model_provider: 'groq' } }),
      'Hello',
      undefined,
    ],
    [
      'a text about thoughts',
      answering({ content: 'Hello <think>', response_metadata: { model_provider: 'groq' } }),
      'Hello <think>',
      undefined,
    ],
    ['a spoken one', answering({ additional_kwargs: speaks }), 'Hello', [{ media_type: 'audio' }]],
    ['a refusal', answering({ additional_kwargs: { refusal: 'I can’t.' } }), 'I can’t.', undefined],
    ['an image', answering({ content: [png] }), '[image: image/png]', [{ media_type: 'image/png' }]],
    [
      'a text and an image',
      answering({ content: [{ type: 'text', text: 'Look:' }, png] }),
      'Look:\n[image: image/png]',
      [{ media_type: 'image/png' }],
    ],
    [
      'an image of Google’s',
      answering({ content: [{ type: 'inlineData', inlineData: { mimeType: 'image/webp', data: PNG } }] }),
      '[image: image/webp]',
      [{ media_type: 'image/webp' }],
    ],
    [
      'an image of Bedrock’s',
      answering({ content: [{ type: 'image', image: { format: 'jpeg', source: { bytes: PNG } } }] }),
      '[image: image/jpeg]',
      [{ media_type: 'image/jpeg' }],
    ],
    [
      'beside a call that can’t be read',
      answering({ content: 'Hello', invalid_tool_calls: [{ name: 'w' }] }),
      'Hello',
      undefined,
    ],
  ])('of a model may be %s', async (_, message, answer, attachments) => {
    for (const isGraph of [false, true]) {
      await using on = await handlerOn();
      const model = new FixedModel(message);
      if (!isGraph) await model.invoke('Hi', on.config);
      else
        await model
          .pipe(RunnableLambda.from((last: unknown) => ({ messages: [...said.messages, last] })))
          .invoke('Hi', on.config);
      expect(await on.transcript()).toEqual(['user: Hi', `assistant: ${answer}`]);
      expect(on.synap.stored[1]?.metadata?.attachments).toEqual(attachments);
      expect(JSON.stringify(on.synap.stored)).not.toContain(PNG);
    }
  });

  it.each(['content_filter', 'SAFETY', 'refusal'])('of a model that was kept from it (%s) says so', async reason => {
    await using on = await handlerOn();
    await new FixedModel(answering({}), { finish_reason: reason }).invoke('Hi', on.config);
    await new FixedModel(answering({ content: 'Hel' }), { finish_reason: reason }).invoke('Hi', on.config);
    expect(await on.transcript()).toEqual([
      'user: Hi',
      `assistant: [no answer: ${reason}]`,
      'user: Hi',
      'assistant: Hel',
    ]);
    for (const index of [1, 3]) expect(on.synap.stored[index]?.metadata).toMatchObject({ finish_reason: reason });
  });

  it('is not what the state passes through', async () => {
    const { transcript, notices } = await recorded({ question: 'Hi', text: 'A page' }, { text: 'A page', topic: 'x' });
    expect(transcript).toEqual(['user: Hi']);
    expect(notices).toHaveLength(1);
  });
});

describe('the options of the app', () => {
  it.each<[name: string, options: SynapCallbackHandlerOptions, transcript: string[]]>([
    ['inputKey and outputKey', { inputKey: 'ask', outputKey: 'say' }, ['user: Q', 'assistant: A']],
    [
      'selectInput and selectOutput',
      {
        selectInput: (input: { ask: string }) => `${input.ask}!`,
        selectOutput: (output: { say: string }) => new AIMessage(`${output.say}!`),
      },
      ['user: Q!', 'assistant: A!'],
    ],
    ['selectors that say that there is nothing', { selectInput: () => null, selectOutput: () => null }, []],
    [
      'selectors that leave it to the other rules',
      { selectInput: () => undefined, selectOutput: () => undefined },
      ['user: q', 'assistant: a'],
    ],
    ['keys that are not there', { inputKey: 'nope', outputKey: 'nope' }, ['user: q', 'assistant: a']],
  ])('decide first: %s', async (_, options, transcript) => {
    const result = await recorded({ question: 'q', ask: 'Q' }, { answer: 'a', say: 'A' }, options);
    expect(result.transcript).toEqual(transcript);
    expect(result.notices).toEqual([]);
  });

  it.each<[name: string, options: SynapCallbackHandlerOptions]>([
    [
      'throws',
      {
        selectInput: () => {
          throw new TypeError('secret q');
        },
        selectOutput: () => {
          throw new TypeError('secret a');
        },
      },
    ],
    ['gives what is no text', { selectInput: () => 42, selectOutput: () => ({ a: 1 }) }],
    ['is asynchronous', { selectInput: async () => 'late', selectOutput: () => Promise.reject(new Error('late')) }],
  ])('are told of once, and passed over, when one %s', async (_, options) => {
    await using on = await handlerOn(options);
    for (let turn = 0; turn < 2; turn++) await giving({ answer: 'a' }).invoke({ question: 'q' }, on.config);
    expect(await on.transcript()).toEqual(['user: q', 'assistant: a', 'user: q', 'assistant: a']);
    expect(on.notices).toHaveLength(2);
    expect(on.notices.join()).toMatch(/selectInput.*selectOutput/);
    expect(on.notices.join()).not.toMatch(/secret|late/);
  });
});
