// Ids that stand for nobody (`undefined`, `null`, …) on the way through the AI SDK.

import { describe, expect, it } from 'vitest';
import { MAJORS, recording } from './majors.js';

describe.each(MAJORS)('through $name', major => {
  it.each(['wrapAISDK', 'wrapModel'] as const)(
    'a call of %s that names somebody unknown is recorded under nobody else, and counted',
    async way => {
      await using on = await recording(major, way, [['answer']]);
      for (const userId of [Number.NaN, 'undefined', String({})]) {
        const providerOptions = { synap: { userId, conversationId: 'c' } };
        const { text } = await on.sdk.generateText({ model: on.model, prompt: 'question', providerOptions } as never);
        expect(text).toBe('answer');
      }
      await on.recorder.flush();
      expect(on.synap.stored).toEqual([]);
      expect(on.recorder.stats().refused).toEqual({ missing_user_id: 6 });
    },
  );

  it.each(['wrapAISDK', 'wrapModel'] as const)(
    'calls of %s in a chat whose id was not there have a conversation each',
    async way => {
      await using on = await recording(major, way, [['answer']]);
      const providerOptions = { synap: { userId: 'ada', conversationId: 'undefined' } };
      for (const prompt of ['One', 'Two']) await on.sdk.generateText({ model: on.model, prompt, providerOptions });
      await on.recorder.flush();
      const [one, answer, two] = on.synap.stored.map(({ conversation_id }) => conversation_id);
      expect(one).toBe(answer);
      expect(one).not.toBe(two);
    },
  );
});
