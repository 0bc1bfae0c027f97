import { describe, expect, it } from 'vitest';
import { AnswerText, Marks } from '../../src/ai-sdk/answer-text.js';

const png = { mediaType: 'image/png' };
const user = (content: string) => ({ content, attachments: [] });

function textOf(...pieces: string[]) {
  const text = new AnswerText();
  for (const piece of pieces) text.append(piece);
  return text;
}

function marked(mark: (marks: Marks) => void) {
  const marks = new Marks();
  mark(marks);
  return marks;
}

describe('the text of an answer', () => {
  it('is what was appended', () => {
    const text = textOf('One', 'Two');
    expect([text.length, text.answer([], 0)]).toEqual([6, { content: 'OneTwo', attachments: [], missing: 0 }]);
  });

  it('has a blank line where a step begins', () => {
    const marks = marked(marks => marks.step(3));
    expect(textOf('One', 'Two').answer(marks, 0).content).toBe('One\n\nTwo');
  });

  it('has the placeholder of a file where it came', () => {
    const marks = marked(marks => marks.file(3, png));
    expect(textOf('One', 'Two').answer(marks, 0)).toEqual({
      content: 'One\n[image: image/png]\nTwo',
      attachments: [png],
      missing: 0,
    });
  });

  it('parts where the user has spoken into it', () => {
    const text = textOf('One', 'Two', 'Three');
    const marks = marked(marks => {
      marks.steered(3, user('And?'));
      marks.steered(6, user('And then?'));
    });
    expect([0, 1, 2, 3].map(index => text.answer(marks, index).content)).toEqual(['One', 'Two', 'Three', '']);
  });

  it('has a file and a step in the answer that they belong to', () => {
    const text = textOf('One', 'Two', 'Three');
    const marks = marked(marks => {
      marks.file(3, png);
      marks.steered(3, user('And?'));
      marks.step(6);
    });
    expect(text.answer(marks, 0)).toMatchObject({ content: 'One\n[image: image/png]', attachments: [png] });
    expect(text.answer(marks, 1)).toMatchObject({ content: 'Two\n\nThree', attachments: [] });
  });

  it('has no marks beyond what was read', () => {
    const marks = marked(marks => {
      marks.step(3);
      marks.file(7, png);
      marks.steered(7, user('And?'));
    });
    expect(textOf('One', 'Two').answer(marks, 0)).toMatchObject({ content: 'One\n\nTwo', attachments: [] });
  });

  it('has a mark at its very end', () => {
    expect(
      textOf('One').answer(
        marked(marks => marks.file(3, png)),
        0,
      ).attachments,
    ).toEqual([png]);
  });

  it('counts what no message could hold, in the answer that it belongs to', () => {
    const text = textOf('x'.repeat(2_000_000), 'y'.repeat(10));
    const { content, missing } = text.answer([], 0);
    expect(missing).toBeGreaterThan(0);
    expect(content.length + missing).toBe(2_000_010);
    expect(text.length).toBe(2_000_010);
    expect(text.answer([], 1).missing).toBe(0);
  });

  it('goes its own way as a copy', () => {
    const text = textOf('One');
    const copy = text.copy();
    copy.append('Two');
    expect([text, copy].map(each => each.answer([], 0).content)).toEqual(['One', 'OneTwo']);
  });
});

describe('the marks of an answer', () => {
  it('have one step at one place', () => {
    const marks = marked(marks => {
      marks.step(0);
      marks.step(0);
      marks.step(3);
    });
    expect([...marks]).toEqual([
      { type: 'step', at: 0 },
      { type: 'step', at: 3 },
    ]);
  });

  it('have a step after a file at the same place', () => {
    const marks = marked(marks => {
      marks.file(3, png);
      marks.step(3);
    });
    expect([...marks].map(({ type }) => type)).toEqual(['file', 'step']);
  });

  it('tell what the user has said', () => {
    const marks = marked(marks => marks.steered(3, user('And?')));
    expect(marks.steerings).toEqual([{ type: 'steering', said: user('And?'), at: 3 }]);
    expect([...marks]).toEqual(marks.steerings);
  });

  it('go their own way as a copy', () => {
    const marks = marked(marks => marks.steered(3, user('And?')));
    const copy = marks.copy();
    copy.step(3);
    copy.steered(4, user('So?'));
    expect([[...marks].length, marks.steerings.length]).toEqual([1, 1]);
    expect([[...copy].length, copy.steerings.length]).toEqual([3, 2]);
  });

  it('are bounded, except what the user has said', () => {
    const marks = marked(marks => {
      for (let at = 0; at < 10_001; at++) marks.step(at);
      marks.steered(10_001, user('And?'));
    });
    expect([...marks].length).toBe(10_001);
    expect([...marks].at(-1)?.type).toBe('steering');
    expect([...marks].at(-2)?.at).toBe(9_999);
  });
});
