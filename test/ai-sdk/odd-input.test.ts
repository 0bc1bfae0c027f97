import { describe, expect, it } from 'vitest';
import { counted, expectAllAccountedFor, ODD_VALUES } from '../support/odd-values.js';
import { MAJORS, type Major, mockModel, recording } from './majors.js';

describe.each(MAJORS)('through $name', { timeout: 60_000 }, major => {
  const places: Record<string, (odd: unknown) => unknown> = {
    'the options of a call': odd => odd,
    'its tags': odd => ({ metadata: odd }),
    'a tag': odd => ({ metadata: { odd } }),
    'its identity': odd => ({ userId: odd, customerId: odd, sessionId: odd }),
    'the id of its message': odd => ({ messageId: odd }),
  };

  it.each(Object.entries(places))('%s may be anything: the answer is the same', async (_, place) => {
    for (const way of ['wrapAISDK', 'wrapModel'] as const) await answersAll(major, way, place);
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
    else if (answer === 'answer' && isReadable(synap) && counted(on) - before !== 2)
      wrong.push(`${way}, ${name}: ${counted(on) - before} messages counted, not 2`);
  }
  expect(wrong).toEqual([]);
  await expectAllAccountedFor(on);
}

/** Options that can't be read don't even say whether their call is to be recorded. */
function isReadable(synap: unknown): boolean {
  try {
    void (synap as { record?: unknown } | null)?.record;
    return true;
  } catch {
    return false;
  }
}

async function answerOf(call: () => PromiseLike<{ text: string }>): Promise<string> {
  try {
    return (await call()).text;
  } catch (error) {
    return `threw ${(error as Error | undefined)?.name}`;
  }
}
