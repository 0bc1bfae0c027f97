import { describe, expect, it } from 'vitest';
import { maskServerText, maskServerTexts, maskServerUrl } from '../../src/synap/mask-server-text.js';

const KEY = 'own-key-0123456789-abcdefghij';
const secrets = (...contents: string[]) => ({ apiKey: KEY, contents });
const ESC = String.fromCharCode(0x1b);

describe("a server's words", () => {
  it('lose the key of the request, however short it is', () => {
    expect(maskServerText('the key k1 is unknown', { apiKey: 'k1', contents: [] })).toBe('the key *** is unknown');
  });

  it('stay as they are without a key', () => {
    expect(maskServerText('unknown', { apiKey: undefined, contents: [] })).toBe('unknown');
  });

  it.each([
    ['the first twenty characters', KEY.slice(0, 20)],
    ['the last twenty characters', KEY.slice(-20)],
    ['eight characters', KEY.slice(8, 16)],
    ['ten characters, in upper case,', KEY.slice(5, 15).toUpperCase()],
    ['the whole of it, split by a character that nobody sees', `${KEY.slice(0, 9)}\u200b${KEY.slice(9)}`],
  ])('lose %s of the key', (_, part) => {
    expect(maskServerText(`unknown key ${part}!`, secrets())).toBe('unknown key ***!');
  });

  it.each([
    ['the whole of it', 'bad content: My secret plan', 'My secret plan', 'bad content: [redacted: message text]'],
    ['twelve characters of it', 'bad: secret plan f!', 'My secret plan for you', 'bad: [redacted: message text]!'],
    [
      'two parts of it',
      'My secret plan, for you and me',
      'My secret plan is for you and me',
      '[redacted: message text], [redacted: message text]',
    ],
    [
      'it, escaped',
      'bad: {"content": "one\\ntwo \\"three\\""}',
      'one\ntwo "three"',
      'bad: {"content": "[redacted: message text]"}',
    ],
    [
      'it, in lower case',
      'found "drop table students"!',
      'x; DROP TABLE Students',
      'found "[redacted: message text]"!',
    ],
    ['a short one as their whole text', 'hi', 'hi', '[redacted: message text]'],
    ['a short one between quotes', "can't take 'a' as a text", 'a', "can't take '[redacted: message text]' as a text"],
    ['a code', 'bad: 0000', '0000', 'bad: [redacted: message text]'],
  ])('lose what they quote of a message, and no more: %s', (_, words, content, expected) => {
    expect(maskServerText(words, secrets('Good morning to you', content))).toBe(expected);
  });

  it.each([
    ['eleven characters of it', 'bad: secret plan', 'My secret  plan for you'],
    ['nothing of it', 'the user is unknown', 'My secret plan'],
    ['a blank', 'the user is unknown', ' '],
    ['a letter', 'a user_id is required', 'a'],
    ['a word', 'the user is unknown', 'user'],
    ['a word of a longer one', "unknown field 'user_id'", 'user'],
  ])('stay where they share %s with a message', (_, words, content) => {
    expect(maskServerText(words, secrets(content))).toBe(words);
  });

  it('stand on one line, without commands for terminals and marks of direction', () => {
    const words = `one\r\ntwo ${ESC}[31mred${ESC}[0m\u202e${ESC}]8;;http://x${ESC}\\three\u2028four\u0000`;
    expect(maskServerText(words, secrets())).toBe('one two redthree four');
  });

  it('are cut before they are compared: an endless answer costs no time', () => {
    expect(maskServerText('word '.repeat(1_000_000), secrets('x'.repeat(200_000))).length).toBeLessThanOrEqual(2000);
  });

  it.each([
    ['long messages', Array.from({ length: 50 }, (_, n) => `${n} lorem ipsum dolor sit amet `.repeat(4000))],
    ['messages of one letter without end', ['a'.repeat(8_000_000)]],
    ['many short messages', Array.from({ length: 5_000 }, (_, n) => `m${n}`)],
  ])('of a batch with %s are compared in time', (_, contents) => {
    const texts = contents.map((content, n) => `message ${n} is bad: ${content.slice(0, 500)} ${'a'.repeat(20)}`);
    const begun = performance.now();
    maskServerTexts(texts, { apiKey: KEY, contents });
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

describe('a link for the owner of the account', () => {
  it('keeps its query, but not the key', () => {
    expect(maskServerUrl(`https://h/?code=12ab34cd&k=${KEY}`, secrets())).toBe('https://h/?code=12ab34cd&k=***');
  });

  it.each(['javascript:alert(1)', 'top up', 'https://h/\nforged', `https://h/${ESC}[31m`])('is none: %j', url => {
    expect(maskServerUrl(url, secrets())).toBeUndefined();
  });
});
