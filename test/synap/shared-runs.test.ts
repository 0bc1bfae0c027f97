import fc from 'fast-check';
import { expect, it } from 'vitest';
import { replaceSpans, sharedRuns } from '../../src/synap/shared-runs.js';

const letters = fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é'), maxLength: 40 });

it('finds exactly the runs that a text shares with another', () => {
  fc.assert(
    fc.property(
      fc.array(letters, { maxLength: 3 }),
      fc.array(letters, { maxLength: 3 }),
      fc.integer({ min: 1, max: 6 }),
      (texts, sources, length) => {
        const naive = texts.map(text =>
          [...text].flatMap((_, from) => {
            const run = text.slice(from, from + length);
            return run.length === length && sources.some(source => source.includes(run))
              ? [{ from, to: from + length }]
              : [];
          }),
        );
        expect(sharedRuns(texts, sources, length)).toEqual(naive);
      },
    ),
  );
});

it('replaces spans that touch or overlap by one, and leaves blanks at their ends', () => {
  const spans = [
    { from: 5, to: 9 },
    { from: 0, to: 2 },
    { from: 7, to: 12 },
  ];
  expect(replaceSpans('ab cd ef gh ij', spans, '*')).toBe('* cd * ij');
});
