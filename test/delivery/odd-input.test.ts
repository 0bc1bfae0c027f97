import { describe, expect, it } from 'vitest';
import type { Recorder, Turn } from '../../src/index.js';
import { counted, expectAllAccountedFor, ODD_VALUES, sum } from '../support/odd-values.js';
import { recorderOn } from '../support/recorder.js';
import { turns } from '../support/turns.js';

const MiB = 1024 * 1024;

const IDENTITY = { userId: 'ada', conversationId: 'chat' };

/** Where a value can come in by hand. Each says one question and one answer. */
const PLACES: Record<string, (recorder: Recorder, odd: never) => void> = {
  'what a user says': (recorder, odd) => say(recorder.turn(IDENTITY), turn => turn.user(odd)),
  'the options of user()': (recorder, odd) => say(recorder.turn(IDENTITY), turn => turn.user('question', odd)),
  'the id of a message': (recorder, odd) =>
    say(recorder.turn(IDENTITY), turn => turn.user('question', { messageId: odd })),
  'the tags of a message': (recorder, odd) =>
    say(recorder.turn(IDENTITY), turn => turn.user('question', { metadata: odd })),
  'a tag of a message': (recorder, odd) =>
    say(recorder.turn(IDENTITY), turn => turn.user('question', { metadata: { odd, even: true } })),
  'the tags of a turn, beside those of a message': (recorder, odd) =>
    say(recorder.turn(IDENTITY, { metadata: odd }), turn => turn.user('question', { metadata: { even: true } })),
  'the attachments of a message': (recorder, odd) =>
    say(recorder.turn(IDENTITY), turn => turn.user('question', { attachments: odd })),
  'an attachment of a message': (recorder, odd) =>
    say(recorder.turn(IDENTITY), turn => turn.user('question', { attachments: [odd] })),
  'the parts of an attachment': (recorder, odd) =>
    say(recorder.turn(IDENTITY), turn =>
      turn.user('question', { attachments: [{ mediaType: odd, filename: odd, url: odd }] }),
    ),
  'a piece of the answer': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn => {
      turn.append(odd);
      turn.append('answer');
      turn.complete();
    }),
  'the details of an answer': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn => {
      turn.append('answer');
      turn.complete(odd);
    }),
  'what is known before the answer': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn => {
      turn.describe(odd);
      turn.complete({ content: 'answer' });
    }),
  'what the assistant says': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn => turn.complete({ content: odd })),
  'every detail of an answer': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn =>
      turn.complete({
        content: 'answer',
        model: odd,
        responseModel: odd,
        provider: odd,
        finishReason: odd,
        steps: odd,
        usage: { inputTokens: odd, outputTokens: odd },
      }),
    ),
  'the usage of an answer': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn => turn.complete({ content: 'answer', usage: odd })),
  'the tools of an answer': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn => turn.complete({ content: 'answer', toolCalls: odd })),
  'a tool of an answer': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn => turn.complete({ content: 'answer', toolCalls: [odd] })),
  'the tags of an answer': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn => turn.complete({ content: 'answer', metadata: odd })),
  'an error': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn => {
      turn.append('answer');
      turn.fail(odd);
    }),
  'the message of an error': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn => {
      turn.append('answer');
      turn.fail(Object.defineProperties(new Error(), { name: { value: odd }, message: { value: odd } }));
    }),
  'the reason of an abort': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn => {
      turn.append('answer');
      turn.abort(odd);
    }),
  'an identity': (recorder, odd) => say(recorder.turn(odd)),
  'every part of an identity': (recorder, odd) =>
    say(recorder.turn({ userId: odd, conversationId: odd, customerId: odd, sessionId: odd })),
  'the conversation of an identity': (recorder, odd) =>
    say(recorder.turn({ userId: 'ada', conversationId: odd, sessionId: odd })),
  'an ambient identity': (recorder, odd) => recorder.withIdentity(odd, () => say(recorder.turn())),
  'the options of append()': (recorder, odd) =>
    say(recorder.turn(IDENTITY), undefined, turn => {
      turn.append('answer', odd);
      turn.complete();
    }),
  'the options of a turn': (recorder, odd) => say(recorder.turn(IDENTITY, odd)),
  'the id of a turn': (recorder, odd) => say(recorder.turn(IDENTITY, { id: odd })),
  'the start of a turn': (recorder, odd) => say(recorder.turn(IDENTITY, { startedAt: odd })),
  'the framework of a turn': (recorder, odd) => say(recorder.turn(IDENTITY, { framework: odd })),
};

function say(
  turn: Turn,
  ask = (turn: Turn) => turn.user('question'),
  answer = (turn: Turn) => turn.complete({ content: 'answer' }),
): void {
  ask(turn);
  answer(turn);
}

/** A text that is empty, and an answer without one, are no messages. */
const EMPTY: Record<string, unknown[]> = { 'what a user says': [''], 'what the assistant says': ['', null] };

describe('by hand', () => {
  it.each(Object.entries(PLACES))('%s may be anything: it is recorded, or counted as lost', async (place, use) => {
    await using on = await recorderOn();
    const wrong: string[] = [];
    for (const [name, make] of Object.entries(ODD_VALUES)) {
      const before = counted(on);
      const odd = make();
      try {
        use(on.recorder, odd as never);
      } catch (error) {
        wrong.push(`${name} threw ${error instanceof Error ? error.stack?.split('\n').slice(0, 3).join(' ') : 'it'}`);
        continue;
      }
      const said = EMPTY[place]?.includes(odd) ? 1 : 2;
      if (counted(on) - before !== said) wrong.push(`${name}: ${counted(on) - before} messages counted, not ${said}`);
    }
    expect(wrong).toEqual([]);
    await expectAllAccountedFor(on);
  });

  it('a text arrives as Unicode, whole, or cut with a marker', async () => {
    await using on = await recorderOn();
    const turn = on.recorder.turn(IDENTITY);
    turn.user('before \ud800 after\0');
    turn.complete({ content: 'x'.repeat(10 * MiB) });
    expect(await on.recorder.flush()).toEqual({ delivered: 2, pending: 0, deadLettered: 0 });
    expect(on.synap.stored[0]?.content).toBe('before \ufffd after\0');
    expect(on.synap.stored[1]?.content).toContain(`of ${10 * MiB} characters`);
    expect(on.losses).toEqual([]);
  });

  it('a tag that can not be written down is left out, and its message is recorded', async () => {
    await using on = await recorderOn();
    const unwritable = [
      'a BigInt',
      'a symbol',
      'an object that contains itself',
      'a getter that throws',
      'a revoked proxy',
    ];
    for (const name of unwritable)
      on.recorder.turn(IDENTITY).user(name, { metadata: { odd: ODD_VALUES[name]?.(), even: true } });
    expect(await on.recorder.flush()).toMatchObject({ delivered: unwritable.length });
    for (const { metadata } of on.synap.stored) {
      expect(metadata).toMatchObject({ even: true });
      expect(metadata).not.toHaveProperty('odd');
    }
  });
});

describe('what redact answers', () => {
  const answers: Record<string, (message: object, odd: unknown) => unknown> = {
    'as a whole': (_, odd) => odd,
    'as a text': (message, odd) => ({ ...message, content: odd }),
    'as a user': (message, odd) => ({ ...message, userId: odd }),
    'as metadata': (message, odd) => ({ ...message, metadata: odd }),
    'as metadata that can not be read': (message, odd) =>
      Object.defineProperty({ ...message }, 'metadata', {
        enumerable: true,
        get() {
          throw odd;
        },
      }),
  };
  const times = ['at once', 'later'] as const;

  it.each(Object.keys(answers).flatMap(how => times.map(when => [how, when] as const)))(
    '%s, %s, may be anything: it is recorded, or counted as lost',
    async (how, when) => {
      const wrong: string[] = [];
      for (const [name, make] of Object.entries(ODD_VALUES)) {
        const redact = (message: object) => answers[how]?.(message, make()) as never;
        await using on = await recorderOn(undefined, {
          redact: when === 'at once' ? redact : async message => redact(message),
        });
        const turn = on.recorder.turn(IDENTITY);
        try {
          say(turn);
        } catch (error) {
          wrong.push(`${name} threw ${error}`);
          continue;
        }
        const settled = await Promise.race([
          turn.accepted.then(() => 'settled'),
          turns().then(() => 'never settled'),
        ]).catch(() => 'settled rejects');
        if (settled !== 'settled') wrong.push(`${name}: ${settled}`);
        if (counted(on) !== 2) wrong.push(`${name}: ${counted(on)} messages counted, not 2`);
        else await expectAllAccountedFor(on);
      }
      expect(wrong).toEqual([]);
    },
  );
});

describe('what the app throws at the recorder', () => {
  it.each(Object.keys(ODD_VALUES))('from onLoss and logger, as %s, ends there', async name => {
    const throws = () => {
      throw ODD_VALUES[name]?.();
    };
    await using on = await recorderOn(undefined, {
      onLoss: throws,
      logger: { info: throws, warn: throws, error: throws },
    });
    expect(() => say(on.recorder.turn({ userId: '' }), turn => turn.user(42 as never))).not.toThrow();
    expect(on.recorder.stats().accepted + sum(on.recorder.stats().refused)).toBe(2);
  });

  it.each(Object.keys(ODD_VALUES))('from a getter, as %s, ends there', async name => {
    await using on = await recorderOn();
    const details = {
      get content(): string {
        throw ODD_VALUES[name]?.();
      },
    };
    expect(() => say(on.recorder.turn(IDENTITY), undefined, turn => turn.complete(details))).not.toThrow();
    expect(counted(on)).toBe(2);
    expect(on.losses).toHaveLength(1);
  });
});
