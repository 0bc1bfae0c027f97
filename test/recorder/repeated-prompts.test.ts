import { describe, expect, it } from 'vitest';
import { RepeatedPrompts } from '../../src/recorder/repeated-prompts.js';

const prompt = (prompts: RepeatedPrompts, conversation: string, ...contents: string[]) =>
  contents.filter((content, index) => {
    if (prompts.isRepeated(conversation, contents, index)) return false;
    prompts.note(conversation, { role: 'user', content });
    return true;
  });

describe('a prompt that is sent again', () => {
  it('is a repetition until it has a whole answer', () => {
    const prompts = new RepeatedPrompts();
    prompt(prompts, 'c', 'Hi');
    prompts.note('c', { role: 'assistant', content: 'Hel', status: 'error' });
    expect(prompt(prompts, 'c', 'Hi', 'Still there?')).toEqual(['Still there?']);
    prompts.note('c', { role: 'assistant', content: 'Yes', status: 'complete' });
    expect(prompt(prompts, 'c', 'Hi', 'Again')).toEqual(['Hi', 'Again']);
  });

  it('is news where it stands last', () => {
    const prompts = new RepeatedPrompts();
    prompt(prompts, 'c', 'Hi');
    expect(prompt(prompts, 'c', 'Hi')).toEqual(['Hi']);
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
    prompts.note('a', { role: 'assistant', content: 'Hel', status: 'aborted' });
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
    expect(prompts.isRepeated('c', [undefined, 7, 'Hi'], 0)).toBe(false);
  });
});
