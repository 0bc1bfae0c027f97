// The app has no ids for its messages: the same words at the same place, still unanswered, are said once.

import { expect } from 'vitest';
import { type Case, quiet, runCases, type Situation } from './run-cases.js';

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const sky = 'Why is the sky blue?';

async function ask({ sdk, model }: Situation, ...messages: object[]): Promise<string> {
  return (await sdk.generateText({ model, messages, maxRetries: 0 } as never)).text;
}

/** Reads an answer until it says so much, then stops it, as a person does who presses Stop. */
async function askAndStop({ sdk, model }: Situation, until: string, ...messages: object[]): Promise<void> {
  const abort = new AbortController();
  const result = sdk.streamText({ model, messages, abortSignal: abort.signal, ...quiet } as never);
  let text = '';
  for await (const piece of result.textStream) {
    text += piece;
    if (text.endsWith(until)) abort.abort();
    if (abort.signal.aborted) break;
  }
}

const failsFirst: Case['script'] = (_, call) => (call === 0 ? { refuses: new Error('no') } : [`Answer ${call}.`]);

const cases: Case[] = [
  {
    name: 'the first model fails, and the app asks another one',
    script: failsFirst,
    app: async on => {
      await ask(on, user(sky)).catch(() => {});
      return ask(on, user(sky));
    },
    sees: 'Answer 1.',
    transcript: [`user: ${sky}`, 'assistant: Answer 1.'],
    because: 'one question, one answer',
    check: recorder => expect(recorder.stats().repeated).toBe(1),
  },
  {
    name: 'the first model fails after a history, and the app asks another one',
    script: (_, call) => (call === 1 ? { refuses: new Error('no') } : [`Answer ${call}.`]),
    app: async on => {
      await ask(on, user('Hi'));
      const messages = [user('Hi'), assistant('Answer 0.'), user(sky)];
      await ask(on, ...messages).catch(() => {});
      await ask(on, ...messages);
    },
    transcript: ['user: Hi', 'assistant: Answer 0.', `user: ${sky}`, 'assistant: Answer 2.'],
    because: 'two questions, two answers',
  },
  {
    name: 'a person types the same words again, because nobody answered',
    script: failsFirst,
    app: async on => {
      await ask(on, user('Hello?')).catch(() => {});
      await ask(on, user('Hello?'), user('Hello?'));
    },
    transcript: ['user: Hello?', 'user: Hello?', 'assistant: Answer 1.'],
    because: 'they were said twice: both stand in the prompt',
  },
  {
    name: 'a person says the same words again after an answer',
    script: [['Yes?'], ['Yes!']],
    app: async on => {
      await ask(on, user('Hello?'));
      await ask(on, user('Hello?'), assistant('Yes?'), user('Hello?'));
    },
    transcript: ['user: Hello?', 'assistant: Yes?', 'user: Hello?', 'assistant: Yes!'],
    because: 'said twice, answered twice',
  },
  {
    name: 'a person says the same words twice to an app that keeps no history',
    script: [['Yes?'], ['Yes!']],
    app: async on => {
      await ask(on, user('Hello?'));
      await ask(on, user('Hello?'));
    },
    transcript: ['user: Hello?', 'assistant: Yes?', 'user: Hello?', 'assistant: Yes!'],
    because: 'the first was answered: the second is said anew',
  },
  {
    name: 'a stopped answer goes on: the history ends with what was read of it',
    script: (_, call) => (call === 0 ? ['Once ', 'upon ', { hangs: true }] : ['a time.']),
    app: async on => {
      await askAndStop(on, 'upon ', user('A story'));
      await ask(on, user('A story'), assistant('Once upon '));
    },
    transcript: ['user: A story', 'assistant (aborted): Once upon ', 'assistant: a time.'],
    metadata: [undefined, undefined, { continues: expect.stringMatching(/:assistant$/) }],
    because: 'the user asked once, and the answer has two parts',
  },
  {
    name: 'an answer that was cut at its length goes on',
    script: [['Once upon ', { finish: 'length' }], ['a time.']],
    app: async on => {
      await ask(on, user('A story'));
      await ask(on, user('A story'), assistant('Once upon'));
    },
    transcript: ['user: A story', 'assistant: Once upon ', 'assistant: a time.'],
    metadata: [undefined, { finish_reason: 'length' }, { continues: expect.stringMatching(/:assistant$/) }],
    because: 'the user asked once, and the answer has two parts',
  },
  {
    name: 'a stopped answer is generated anew',
    script: (_, call) => (call === 0 ? ['Once ', { hangs: true }] : ['There was a king.']),
    app: async on => {
      await askAndStop(on, 'Once ', user('A story'));
      await ask(on, user('A story'));
    },
    transcript: ['user: A story', 'assistant (aborted): Once ', 'assistant: There was a king.'],
    because: 'the same question, still without a whole answer',
  },
  {
    name: 'a prefill of the app’s own stands before two answers',
    script: [['"a"'], ['"b"']],
    app: async on => {
      await ask(on, user('JSON, please'), assistant('{'));
      await ask(on, user('JSON, please'), assistant('{'));
    },
    transcript: ['user: JSON, please', 'assistant: "a"', 'user: JSON, please', 'assistant: "b"'],
    because: 'the app has written "{": no answer goes on with it',
  },
  {
    name: 'two conversations fail on the same words',
    script: failsFirst,
    app: async ({ sdk, model }) => {
      for (const conversationId of ['one', 'two']) {
        const providerOptions = { synap: { conversationId } };
        await sdk.generateText({ model, prompt: 'Hi', maxRetries: 0, providerOptions }).catch(() => {});
      }
    },
    transcript: ['user: Hi', 'user: Hi', 'assistant: Answer 1.'],
    because: 'they are two chats',
  },
];

runCases('one question asked again', cases);
