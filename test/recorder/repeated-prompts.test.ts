import { describe, expect, it } from 'vitest';
import { RepeatedPrompts } from '../../src/recorder/repeated-prompts.js';
import type { PromptHistory } from '../../src/recorder/turn-message.js';

const key = 'k';

/** What of a prompt's end is news. `place`: how many messages of the user's stand before it. */
function prompt(prompts: RepeatedPrompts, conversation: string, ...contents: string[]) {
  return promptAt(undefined, prompts, conversation, ...contents);
}

function promptAt(place: number | undefined, prompts: RepeatedPrompts, conversation: string, ...contents: string[]) {
  return news(
    prompts,
    conversation,
    contents,
    place === undefined ? undefined : { place, earlier: () => [], prefill: '' },
  );
}

function news(prompts: RepeatedPrompts, conversation: string, contents: string[], history?: PromptHistory) {
  return contents.filter((content, index) => {
    if (prompts.isRepeated(conversation, { contents, index, history, newestId: undefined })) return false;
    prompts.note(conversation, { role: 'user', content }, { place: history && history.place + index });
    return true;
  });
}

describe('a prompt that is sent again', () => {
  it('is a repetition until it has a whole answer', () => {
    const prompts = new RepeatedPrompts();
    prompt(prompts, 'c', 'Hi');
    prompts.note('c', { role: 'assistant', content: 'Hel', status: 'error' }, { key });
    expect(prompt(prompts, 'c', 'Hi', 'Still there?')).toEqual(['Still there?']);
    prompts.note('c', { role: 'assistant', content: 'Yes', status: 'complete' }, { key });
    expect(prompt(prompts, 'c', 'Hi', 'Again')).toEqual(['Hi', 'Again']);
  });

  it('is news where it stands last, as long as nobody knows at which place', () => {
    const prompts = new RepeatedPrompts();
    prompt(prompts, 'c', 'Hi');
    expect(prompt(prompts, 'c', 'Hi')).toEqual(['Hi']);
    expect(promptAt(0, prompts, 'c', 'Hi')).toEqual(['Hi']);
  });

  it('is a repetition where it stands last at the same place, unanswered', () => {
    const prompts = new RepeatedPrompts();
    promptAt(1, prompts, 'c', 'Hi');
    expect(promptAt(1, prompts, 'c', 'Hi')).toEqual([]);
    prompts.note('c', { role: 'assistant', content: 'Hel', status: 'aborted' }, { key });
    expect(promptAt(1, prompts, 'c', 'Hi')).toEqual([]);
    prompts.note('c', { role: 'assistant', content: 'Yes', status: 'complete' }, { key });
    expect(promptAt(1, prompts, 'c', 'Hi')).toEqual(['Hi']);
  });

  it('is news where the same words are said once more', () => {
    const prompts = new RepeatedPrompts();
    promptAt(0, prompts, 'c', 'Hi');
    expect(promptAt(0, prompts, 'c', 'Hi', 'Hi')).toEqual(['Hi']);
    expect(promptAt(0, prompts, 'c', 'Hi', 'Hi')).toEqual([]);
  });

  it('is a repetition before the text of the latest answer, which is to go on, whole or not', () => {
    for (const status of ['complete', 'aborted'] as const) {
      const prompts = new RepeatedPrompts();
      promptAt(0, prompts, 'c', 'Tell me a story');
      prompts.note('c', { role: 'assistant', content: 'upon a ', status }, { key });
      const before = (prefill: string) => ({ place: 0, earlier: () => [], prefill });
      expect(news(prompts, 'c', ['Tell me a story'], before('Once upon a'))).toEqual([]);
      expect(prompts.continued('c', 'Once upon a')).toBe(key);
      expect(prompts.continued('c', 'Something else')).toBeUndefined();
    }
  });

  it('is news in another conversation', () => {
    const prompts = new RepeatedPrompts();
    prompt(prompts, 'c', 'Hi');
    expect(prompt(prompts, 'd', 'Hi', 'You?')).toEqual(['Hi', 'You?']);
  });

  it('is no repetition of itself: a prompt may say the same twice', () => {
    expect(prompt(new RepeatedPrompts(), 'c', 'Hi', 'Hi', 'Hi')).toEqual(['Hi', 'Hi', 'Hi']);
  });

  it('is compared with what was said before its first message, however many are noted meanwhile', () => {
    const prompts = new RepeatedPrompts();
    const many = Array.from({ length: 20 }, (_, n) => `old ${n}`);
    prompt(prompts, 'c', ...many);
    expect(prompt(prompts, 'c', 'new', ...many, 'last')).toEqual(['new', 'last']);
  });

  it('is known again by 20 messages of a conversation, not by the one before them', () => {
    const prompts = new RepeatedPrompts();
    prompt(prompts, 'c', ...Array.from({ length: 21 }, (_, n) => `${n}`));
    expect(prompt(prompts, 'c', '0', '1', '20', 'last')).toEqual(['0', 'last']);
  });

  it('is forgotten with the conversation that was quiet for longest', () => {
    const prompts = new RepeatedPrompts(2);
    prompt(prompts, 'a', 'Hi');
    prompt(prompts, 'b', 'Hi');
    prompts.note('a', { role: 'assistant', content: 'Hel', status: 'aborted' }, { key });
    prompt(prompts, 'c', 'Hi');
    expect(prompt(prompts, 'a', 'Hi', 'You?')).toEqual(['You?']);
    expect(prompt(prompts, 'b', 'Hi', 'You?')).toEqual(['Hi', 'You?']);
  });

  it('is told from another of the same length that differs at its start, middle or end', () => {
    const long = 'x'.repeat(100);
    const prompts = new RepeatedPrompts();
    prompt(prompts, 'c', long);
    for (const other of [`y${long.slice(1)}`, `${long.slice(0, 50)}y${long.slice(51)}`, `${long.slice(1)}y`])
      expect(prompt(prompts, 'c', other, 'You?')).toEqual([other, 'You?']);
    expect(prompt(prompts, 'c', long, 'You?')).toEqual(['You?']);
  });

  it('is looked at to its end, where it is longer than a message', () => {
    const prompts = new RepeatedPrompts();
    const document = 'x'.repeat(400_000);
    prompt(prompts, 'c', `${document}?`);
    expect(prompt(prompts, 'c', `${document}!`, 'You?')).toEqual([`${document}!`, 'You?']);
    expect(prompt(prompts, 'c', `${document}?`, 'You?')).toEqual(['You?']);
  });

  it('that is no text is news', () => {
    const prompts = new RepeatedPrompts();
    const contents = [undefined, 7, 'Hi'];
    expect(prompts.isRepeated('c', { contents, index: 0, history: undefined, newestId: undefined })).toBe(false);
  });
});
