import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plainLine } from '../../src/internal/plain-line.js';

const ESC = String.fromCharCode(0x1b);

it.each([
  ['colours', `${ESC}[1;31mred${ESC}[0m`, 'red'],
  ['a title', `${ESC}]0;forged${String.fromCharCode(7)}text`, 'text'],
  ['a link', `${ESC}]8;;https://x${ESC}\\text`, 'text'],
  ['line breaks', 'a\nb\r\nc\u2028d', 'a b  c d'],
  ['marks of direction', 'a\u202eb\u2066c\u200bd\ufeff', 'abcd'],
  ['half a character', 'a\ud800b', 'a\ufffdb'],
])('a line has no %s', (_, text, expected) => {
  expect(plainLine(text)).toBe(expected);
});

it('a line never holds a character that a terminal or a reader could take for a command', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
      expect(plainLine(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
  );
});
