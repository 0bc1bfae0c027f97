// Providers quote what they refuse. Whatever the adapter, no error that is recorded does.

import { HumanMessage, SystemMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { wrapAISDK, wrapModel } from '../../src/ai-sdk/index.js';
import { MAJORS, mockModel } from '../ai-sdk/majors.js';
import { handlerOn, ScriptedModel } from '../langchain/support.js';
import { recorderOn } from '../support/recorder.js';

const PROMPT = 'My card is 4242 4242 4242 4242,\nmy password "hunter2"';
const EARLIER = 'Before that I was at 12 Tulip Lane';
const KEY = ['sk', '-proj-', 'Q7dR2mZ9xK4pL8vN1sT6'].join('');
const refusal = () =>
  Object.assign(
    new Error(`Refused: ${JSON.stringify([EARLIER, PROMPT])} (key ${KEY}, https://u:p4ss@host/?sig=s1gn)`),
    {
      name: 'AI_APICallError',
    },
  );

const SECRETS = ['4242', 'hunter2', 'Tulip', 'Q7dR2', 'p4ss', 's1gn'];

function expectClean(stored: readonly { metadata?: unknown }[], text: RegExp) {
  const errors = stored.map(({ metadata }) => (metadata as { error?: string }).error).filter(Boolean);
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(text);
  for (const secret of SECRETS) expect(errors[0]).not.toContain(secret);
}

const messages = [
  { role: 'user', content: EARLIER },
  { role: 'assistant', content: 'I see.' },
  { role: 'user', content: PROMPT },
];

describe.each(MAJORS.map(major => ({ major, name: major.name })))('an error of $name', ({ major }) => {
  const failing = () => mockModel(major, [{ refuses: refusal() }]).model as never;
  const identity = { conversationId: 'c', userId: 'ada' };

  it.each(['generateText', 'streamText'] as const)('does not quote the prompt of a wrapped %s', async fn => {
    await using on = await recorderOn(undefined, { emptyAnswers: 'placeholder' });
    const sdk = wrapAISDK(major.sdk as never, on.recorder, identity) as never as Record<string, (o: object) => unknown>;
    const result = sdk[fn]?.({ model: failing(), messages, maxRetries: 0, onError() {} }) as { text: Promise<string> };
    await Promise.resolve(fn === 'streamText' ? result.text : result).catch(() => {});
    await on.recorder.flush();
    expectClean(on.synap.stored, /Refused/);
  });

  it('does not quote the prompt of a wrapped model', async () => {
    await using on = await recorderOn(undefined, { emptyAnswers: 'placeholder' });
    const model = wrapModel(failing() as object, on.recorder, identity) as never;
    const { generateText } = major.sdk as never as { generateText(options: object): Promise<unknown> };
    await generateText({ model, messages, maxRetries: 0 }).catch(() => {});
    await on.recorder.flush();
    expectClean(on.synap.stored, /Refused/);
  });
});

it('an error of LangChain does not quote the prompt', async () => {
  await using on = await handlerOn({}, { emptyAnswers: 'placeholder' });
  const model = new ScriptedModel([{ error: refusal() }], { maxRetries: 0 });
  const prompt = [new SystemMessage('Be kind'), new HumanMessage(EARLIER), new HumanMessage(PROMPT)];
  await model.invoke(prompt, on.config).catch(() => {});
  await on.recorder.flush();
  expectClean(on.synap.stored, /Refused/);
});
