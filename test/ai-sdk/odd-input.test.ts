// Identities that can't be read.

import { describe, expect, it } from 'vitest';
import { counted, expectAllAccountedFor, ODD_VALUES } from '../support/odd-values.js';
import { MAJORS, type Major, mockModel, recording } from './majors.js';

describe.each(MAJORS)('through $name', major => {
  const places: Record<string, (odd: unknown) => unknown> = {
    'the options of a call': odd => odd,
    'whether it is recorded': odd => throwing('record', odd),
    'its tags': odd => ({ metadata: odd }),
    'a tag': odd => ({ metadata: { odd } }),
    'its identity': odd => ({ userId: odd, customerId: odd, sessionId: odd }),
    'the id of its message': odd => ({ messageId: odd }),
  };

  it.each(Object.entries(places))('%s may be anything: the answer is the same', async (_, place) => {
    for (const way of ['wrapAISDK', 'wrapModel'] as const) await answersAll(major, way, place);
  });

  it('an ambient identity that can’t be read is nobody’s, and what it says is counted', async () => {
    for (const way of ['wrapAISDK', 'wrapModel'] as const) {
      await using on = await recording(major, way, [['answer']]);
      const { text } = await on.recorder.withIdentity(throwing('userId', new Error('no')), () =>
        on.sdk.generateText({ model: on.model, prompt: 'question' }),
      );
      expect(text).toBe('answer');
      expect(on.losses.map(({ role, reason }) => [role, reason])).toEqual([
        ['user', 'missing_user_id'],
        ['assistant', 'missing_user_id'],
      ]);
    }
  });
});

async function answersAll(major: Major, way: 'wrapAISDK' | 'wrapModel', place: (odd: unknown) => unknown) {
  await using on = await recording(major, way, [['answer']]);
  const { model: plainModel } = mockModel(major, [['answer']]);
  const wrong: string[] = [];
  for (const [name, make] of Object.entries(ODD_VALUES)) {
    const before = counted(on);
    const synap = place(make());
    const providerOptions = { synap } as never;
    const plain = await answerOf(() =>
      major.sdk.generateText({ model: plainModel, prompt: 'question', providerOptions }),
    );
    const answer = await answerOf(() => on.sdk.generateText({ model: on.model, prompt: 'question', providerOptions }));
    if (answer !== plain) wrong.push(`${way}, ${name}: ${answer}, not ${plain}`);
    else if (answer === 'answer' && counted(on) - before !== 2)
      wrong.push(`${way}, ${name}: ${counted(on) - before} messages counted, not 2`);
  }
  expect(wrong).toEqual([]);
  await expectAllAccountedFor(on);
}

/** An object of which one property can't be read. */
function throwing(property: string, thrown: unknown): object {
  return Object.defineProperty({}, property, {
    enumerable: true,
    get() {
      throw thrown;
    },
  });
}

async function answerOf(call: () => PromiseLike<{ text: string }>): Promise<string> {
  try {
    return (await call()).text;
  } catch (error) {
    return `threw ${(error as Error | undefined)?.name}`;
  }
}
