// The app has an id for what the user says: the same words under it are one message, other words an edit of it.

import { expect } from 'vitest';
import { type Case, runCases, type Situation } from './run-cases.js';

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const sky = 'Why is the sky blue?';
const grass = 'Why is the grass green?';

/** Asks with a whole history, as an app does whose messages have ids. */
async function ask({ sdk, model }: Situation, messageId: string | undefined, ...messages: object[]): Promise<string> {
  const providerOptions = { synap: messageId === undefined ? {} : { messageId } };
  const { text } = await sdk.generateText({ model, messages, providerOptions, maxRetries: 0 } as never);
  return text;
}

const repeats =
  (count: number): Case['check'] =>
  recorder => {
    const { repeated } = recorder.stats();
    if (repeated !== count) throw new Error(`${repeated} messages are counted as repeated, not ${count}`);
  };

const cases: Case[] = [
  {
    name: 'a message is edited: the app keeps its id',
    script: [['Scattering.'], ['Chlorophyll.']],
    app: async on => [await ask(on, 'm1', user(sky)), await ask(on, 'm1', user(grass))],
    sees: ['Scattering.', 'Chlorophyll.'],
    transcript: [`user: ${sky}`, 'assistant: Scattering.', `user: ${grass}`, 'assistant: Chlorophyll.'],
    metadata: [undefined, undefined, { edited: true }],
    because: 'the user has asked two questions (vercel/ai#6775)',
    check: repeats(0),
  },
  {
    name: 'a message is edited, and then edited back',
    script: [['One.'], ['Two.'], ['Three.']],
    app: async on => {
      for (const words of [sky, grass, sky]) await ask(on, 'm1', user(words));
    },
    transcript: [
      `user: ${sky}`,
      'assistant: One.',
      `user: ${grass}`,
      'assistant: Two.',
      `user: ${sky}`,
      'assistant: Three.',
    ],
    because: 'the third answer is to the first question again',
  },
  {
    name: 'the first of two messages is edited: what came after it is gone from the prompt',
    script: [['One.'], ['Two.'], ['Three.']],
    app: async on => {
      await ask(on, 'm1', user(sky));
      await ask(on, 'm2', user(sky), assistant('One.'), user('And at night?'));
      await ask(on, 'm1', user(grass));
    },
    transcript: [
      `user: ${sky}`,
      'assistant: One.',
      'user: And at night?',
      'assistant: Two.',
      `user: ${grass}`,
      'assistant: Three.',
    ],
    metadata: [undefined, undefined, undefined, undefined, { edited: true }],
    because: 'the user has said three things',
  },
  {
    name: 'a message is edited to words that stand in the prompt already',
    script: [['One.'], ['Two.'], ['Three.']],
    app: async on => {
      await ask(on, 'm1', user('Hi'));
      await ask(on, 'm2', user('Hi'), assistant('One.'), user('Who?'));
      await ask(on, 'm2', user('Hi'), assistant('One.'), user('Hi'));
    },
    transcript: ['user: Hi', 'assistant: One.', 'user: Who?', 'assistant: Two.', 'user: Hi', 'assistant: Three.'],
    because: 'the edited message says "Hi" now, as an earlier one does',
  },
  {
    name: 'an answer is generated again',
    script: [['One.'], ['Two.']],
    app: async on => {
      for (let n = 0; n < 2; n++) await ask(on, 'm1', user(sky));
    },
    transcript: [`user: ${sky}`, 'assistant: One.', 'assistant: Two.'],
    because: 'the user asked once, and there are two answers',
    check: repeats(1),
  },
  {
    name: 'an edited message is answered again',
    script: [['One.'], ['Two.'], ['Three.']],
    app: async on => {
      for (const words of [sky, grass, grass]) await ask(on, 'm1', user(words));
    },
    transcript: [`user: ${sky}`, 'assistant: One.', `user: ${grass}`, 'assistant: Two.', 'assistant: Three.'],
    because: 'the edit is said once, with two answers',
    check: repeats(1),
  },
  {
    name: 'an app adds words of its own for a second part of the answer, under the id of the message',
    script: [['The long answer.'], ['The sum.']],
    app: async on => {
      const text = await ask(on, 'm1', user(sky));
      return ask(on, 'm1', user(sky), assistant(text), user('Now sum up'));
    },
    sees: 'The sum.',
    transcript: [`user: ${sky}`, 'assistant: The long answer.', 'assistant: The sum.'],
    metadata: [undefined, undefined, { continues: expect.stringMatching(/:assistant$/) }],
    because: 'nobody said "Now sum up": the message still stands in the prompt, as it was said',
    check: repeats(1),
  },
  {
    name: 'an app adds words of its own right after the message',
    script: [['The long answer.'], ['The sum.']],
    app: async on => {
      await ask(on, 'm1', user(sky));
      await ask(on, 'm1', user(sky), user('In one line'));
    },
    transcript: [`user: ${sky}`, 'assistant: The long answer.', 'assistant: The sum.'],
    because: 'the message is there as it was said, and what follows it under its id is the app’s',
    check: repeats(2),
  },
  {
    name: 'the first model fails, and the app asks another one under the same id',
    script: (_, call) => (call === 0 ? { refuses: new Error('no') } : ['Scattering.']),
    app: async on => {
      await ask(on, 'm1', user(sky)).catch(() => {});
      await ask(on, 'm1', user(sky));
    },
    transcript: [`user: ${sky}`, 'assistant: Scattering.'],
    because: 'one question, one answer',
    check: repeats(1),
  },
  {
    name: 'the id is ambient, as for an agent behind a response helper',
    script: [['One.'], ['Two.']],
    app: async on => {
      const ask = () => on.sdk.generateText({ model: on.model, prompt: sky });
      for (let n = 0; n < 2; n++) await (on.recorder ? on.recorder.withIdentity({ messageId: 'm1' }, ask) : ask());
    },
    transcript: [`user: ${sky}`, 'assistant: One.', 'assistant: Two.'],
    because: 'a regenerate, whoever names the message',
    check: repeats(1),
  },
  {
    name: 'the ambient id is not that of another conversation',
    script: [['One.'], ['Two.']],
    app: async ({ sdk, model, recorder }) => {
      const ask = async () => {
        await sdk.generateText({ model, prompt: 'Hi' });
        const providerOptions = { synap: { conversationId: 'other' } };
        await sdk.generateText({ model, prompt: 'Hi', providerOptions });
      };
      await (recorder ? recorder.withIdentity({ messageId: 'm1' }, ask) : ask());
    },
    transcript: ['user: Hi', 'assistant: One.', 'user: Hi', 'assistant: Two.'],
    because: 'they are two chats, and each has a message of its own',
  },
];

runCases('messages with an id', cases);
