// What is said of a turn after it was abandoned, and answers without a word.

import { describe, expect, it } from 'vitest';
import { Turn } from '../../src/recorder/turn.js';
import type { AssistantMessage, TurnMessage } from '../../src/recorder/turn-message.js';
import { recorderOn } from '../support/recorder.js';

function turnOn() {
  const messages: TurnMessage[] = [];
  const empty: AssistantMessage[] = [];
  let late = 0;
  const turn = new Turn(
    {
      accept: message => {
        messages.push(message);
        return 'accepted';
      },
      empty: message => {
        empty.push(message);
        return 'not recorded';
      },
      late: () => void late++,
    },
    { conversationId: 'c' },
  );
  const answers = () =>
    messages.flatMap(message => ('status' in message ? [[message.part, message.status, message.content]] : []));
  return { turn, answers, empty, late: () => late };
}

describe('a turn that was abandoned with a text', () => {
  it('counts once that something was appended', () => {
    const { turn, answers, late } = turnOn();
    turn.append('Hel');
    turn.abandon();
    turn.append('lo');
    turn.append(' Ada');
    turn.complete();
    expect(answers()).toEqual([[0, 'abandoned', 'Hel']]);
    expect(late()).toBe(1);
  });

  it('counts an end that has more to say, and not one that has the same', () => {
    const { turn, late } = turnOn();
    turn.append('Hel');
    turn.abandon();
    turn.complete({ content: 'Hel' });
    expect(late()).toBe(0);
    turn.complete({ content: 'Hello' });
    expect(late()).toBe(1);
  });

  it('goes on in a further message where it is resumed', () => {
    const { turn, answers, late } = turnOn();
    turn.append('Hel');
    turn.abandon();
    turn.resume();
    expect(turn.state).toBe('open');
    turn.append('lo');
    turn.complete();
    expect(answers()).toEqual([
      [0, 'abandoned', 'Hel'],
      [1, 'complete', 'lo'],
    ]);
    expect(late()).toBe(0);
  });

  it('has in its further message what the whole answer has beyond the first', () => {
    const { turn, answers } = turnOn();
    turn.abandon({ content: 'One.' });
    turn.resume();
    turn.complete({ content: 'One.\n\nTwo.' });
    expect(answers()).toEqual([
      [0, 'abandoned', 'One.'],
      [1, 'complete', 'Two.'],
    ]);
  });

  it('has no further message where nothing came', () => {
    const { turn, answers, empty } = turnOn();
    turn.abandon({ content: 'One.' });
    turn.resume();
    turn.fail(new Error('gone'), { content: 'One.' });
    expect(turn.state).toBe('error');
    expect(answers()).toEqual([[0, 'abandoned', 'One.']]);
    expect(empty).toEqual([]);
  });

  it('can’t be resumed once it has come to a true end', () => {
    const { turn, answers } = turnOn();
    turn.complete({ content: 'One.' });
    turn.resume();
    expect(turn.state).toBe('complete');
    turn.append('Two.');
    expect(answers()).toEqual([[0, 'complete', 'One.']]);
  });
});

describe('in a recorder', () => {
  it('what came too late is a loss that says so, and the stats balance', async () => {
    await using on = await recorderOn();
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('Hi');
    turn.append('Hel');
    turn.abandon();
    turn.append('lo');
    expect(on.losses).toMatchObject([{ reason: 'late', role: 'assistant' }]);
    expect(on.recorder.stats().refused).toEqual({ late: 1 });
  });

  it('the messages of one answer have keys of their own', async () => {
    await using on = await recorderOn();
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.append('Hel');
    turn.abandon();
    turn.resume();
    turn.append('lo');
    turn.complete();
    await on.recorder.flush();
    const keys = on.synap.stored.map(({ metadata }) => metadata?.message_key);
    expect(keys).toEqual([`${turn.id}:assistant`, `${turn.id}:assistant:1`]);
  });

  it.each(['fail', 'abort'] as const)('an answer without a word, ended by %s, is counted and no message', async end => {
    await using on = await recorderOn();
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('Hi');
    turn[end](new Error('no'));
    await on.recorder.flush();
    expect(on.synap.stored.map(({ content }) => content)).toEqual(['Hi']);
    expect(on.recorder.stats().emptyAnswers).toBe(1);
    expect(on.losses).toEqual([]);
  });

  it.each(['complete', 'abandon'] as const)('an answer without a word, ended by %s, is nothing', async end => {
    await using on = await recorderOn(undefined, { emptyAnswers: 'placeholder' });
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('Hi');
    turn[end]();
    await on.recorder.flush();
    expect(on.synap.stored).toHaveLength(1);
    expect(on.recorder.stats().emptyAnswers).toBe(0);
  });

  it('with a placeholder, it is a message with its status and error', async () => {
    await using on = await recorderOn(undefined, { emptyAnswers: 'placeholder' });
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('Hi');
    turn.fail(new Error('no credit'));
    await on.recorder.flush();
    expect(on.synap.stored[1]).toMatchObject({
      role: 'assistant',
      content: '[no answer]',
      metadata: { status: 'error', error: 'Error: no credit' },
    });
  });

  it('refuses another word for it', async () => {
    await expect(recorderOn(undefined, { emptyAnswers: 'never' as never })).rejects.toThrow(/emptyAnswers/);
  });
});

describe('sources', () => {
  it('have bounds, and one that says nothing is none', async () => {
    await using on = await recorderOn();
    const turn = on.recorder.turn({ conversationId: 'c' });
    const many = Array.from({ length: 200 }, (_, n) => ({ url: `https://example.org/${n}`, title: `t${n}` }));
    turn.complete({ content: 'x', sources: [{}, { url: 'data:text/plain,x' }, ...many] });
    await on.recorder.flush();
    const { sources = [], truncated_fields } = (on.synap.stored[0]?.metadata ?? {}) as {
      sources?: unknown[];
      truncated_fields?: unknown;
    };
    expect(sources).toHaveLength(98);
    expect(sources[0]).toEqual({ url: 'https://example.org/0', title: 't0' });
    expect(truncated_fields).toEqual(['sources']);
  });
});
