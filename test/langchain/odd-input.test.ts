import { HumanMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { counted, expectAllAccountedFor, ODD_VALUES } from '../support/odd-values.js';
import { handlerOn, ScriptedModel } from './support.js';

describe('through LangChain', () => {
  it.each(['user_id', 'conversation_id', 'session_id', 'tag'])(
    'the %s of a call may be anything: the answer is the same',
    async field => {
      await using on = await handlerOn();
      for (const [name, make] of Object.entries(ODD_VALUES)) {
        const before = counted(on);
        const metadata = { [field]: make() };
        const answer = await new ScriptedModel(['answer']).invoke([new HumanMessage('question')], {
          callbacks: [on.handler],
          metadata,
        });
        expect(answer.content, name).toBe('answer');
        expect(counted(on) - before, name).toBe(2);
      }
      await expectAllAccountedFor(on);
    },
  );

  it('the metadata of a call may be anything that LangChain takes', async () => {
    await using on = await handlerOn();
    for (const [name, make] of Object.entries(ODD_VALUES)) {
      // LangChain itself takes a minute over each of its characters.
      if (name === 'a text of 10 MB') continue;
      const before = counted(on);
      const metadata = make() as Record<string, unknown>;
      const ask = (callbacks: never[]) =>
        new ScriptedModel(['answer']).invoke([new HumanMessage('question')], { callbacks, metadata }).then(
          ({ content }) => content,
          error => `threw ${error?.name}`,
        );
      const plain = await ask([]);
      expect(await ask([on.handler as never]), name).toBe(plain);
      if (plain === 'answer') expect(counted(on) - before, name).toBe(2);
    }
    await expectAllAccountedFor(on);
  });
});
