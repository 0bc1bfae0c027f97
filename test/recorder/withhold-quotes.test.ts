import { describe, expect, it } from 'vitest';
import { withholdQuotes } from '../../src/recorder/withhold-quotes.js';
import { recorderOn } from '../support/recorder.js';

const PROMPT =
  'My name is Zoë "Zed" Müller.\nMy card is 4242 4242 4242 4242, my password C:\\hunter2 — call +49 30 1234567!';
const REDACTED = '[redacted: contains message text]';

const json = (text: string) => JSON.stringify(text).slice(1, -1);
const ascii = (text: string) =>
  json(text).replace(/[^\x20-\x7e]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
const html = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll("'", '&#39;').replaceAll('ë', '&#xEB;');

const ESCAPES: [string, (text: string) => string][] = [
  ['as it is', text => text],
  ['as JSON', json],
  ['as JSON in ASCII', ascii],
  ['as JSON in JSON', text => json(json(text))],
  ['as JSON in JSON in ASCII', text => json(ascii(text))],
  ['in a URL', encodeURIComponent],
  ['in a form', text => new URLSearchParams({ q: text }).toString()],
  ['as HTML', html],
  ['in base64', text => Buffer.from(text).toString('base64')],
  ['in base64 that is cut at both ends', text => Buffer.from(text).toString('base64').slice(5, 61)],
  ['in base64 for URLs', text => Buffer.from(text).toString('base64url')],
  ['in hexadecimal digits', text => Buffer.from(text).toString('hex')],
  [
    'as bytes of Python',
    text => [...Buffer.from(text)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
  ],
  ['in capitals', text => text.toUpperCase()],
  ['on one line', text => text.replaceAll('\n', ' ')],
];

describe('an error', () => {
  it.each(ESCAPES)('does not quote the prompt %s', (_, escaped) => {
    const line = withholdQuotes(`Blocked by policy: ${escaped(PROMPT)} (code 7)`.replace(/\s+/g, ' '), [PROMPT]);
    for (const word of [
      'Zoë',
      'Zed',
      'Müller',
      '4242',
      'hunter2',
      '1234567',
      'ZED',
      'HUNTER2',
      '%C3',
      'u00fc',
      'Q3MiBa',
      '4d79206e',
      'Ã',
    ])
      expect(line).not.toContain(word);
    expect(line).toMatch(/^Blocked by policy: .*\(code 7\)$/);
  });

  it.each([
    ['the head', PROMPT.slice(0, 30)],
    ['the head, cut with dots', `${PROMPT.slice(0, 20)}...`],
    ['a part', PROMPT.slice(15, 60).replaceAll('\n', ' ')],
    ['a word between quotes', '"hunter2"'],
    ['a name between quotes', "'Müller'"],
    ['a number', '4242'],
    ['a sequence of bytes that is cut', encodeURIComponent(PROMPT).slice(0, 29)],
  ])('does not quote %s of it', (_, part) => {
    const line = withholdQuotes(`Refused: ${part} is not allowed`, [PROMPT]);
    expect(line).toContain(REDACTED);
    for (const word of ['Zo', 'Müller', 'hunter2', '4242']) expect(line).not.toContain(word);
  });

  it('does not quote a short prompt', () => {
    expect(withholdQuotes('Error: pw7', ['pw7'])).toBe(`Error: ${REDACTED}`);
    expect(withholdQuotes('Error: the word tulips is forbidden', ['Tulips'])).toBe(
      `Error: the word ${REDACTED} is forbidden`,
    );
    expect(withholdQuotes('Error: no such model', ['no'])).toBe('Error: no such model');
    expect(withholdQuotes('Error: "pw7" is wrong', ['pw7'])).toBe(`Error: "${REDACTED}" is wrong`);
    expect(withholdQuotes('tulip', ['tulip'])).toBe(REDACTED);
  });

  it.each([
    'socket hang up',
    'request req_011CSHoEeqs5C35K2UUqR7Fy of 5f2b9c0e4d1a4c6f8e7d6c5b4a392817 failed',
    'AI_APICallError: 429 Too Many Requests, retry after 20 s',
    "Error: Cannot read properties of undefined (reading 'text')",
    'Error: model "gpt-5" not found at https://host/v1/chat/completions?a=b%20c',
    'Error: C:\\Users\\app\\run.js failed',
  ])('that quotes nothing stays as it is: %s', line => {
    expect(withholdQuotes(line, [PROMPT, 'a', ' ', ''])).toBe(line);
  });

  it('costs little where much was said', () => {
    const texts = Array.from({ length: 50 }, (_, n) => `${n} %20 \\u00e9 & "q" `.repeat(20_000));
    const line = Array.from({ length: 300 }, (_, n) => `"w${n}xyz"`).join(' ');
    const from = performance.now();
    withholdQuotes(line, texts);
    expect(performance.now() - from).toBeLessThan(1500);
  });
});

describe('a turn', () => {
  it.each(['fail', 'abort'] as const)('that ends by %s() records no quote of what was said in it', async end => {
    await using on = await recorderOn();
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user(PROMPT);
    turn.append('The answer has the number 9876-5432 in it');
    turn[end](new Error(`Refused "${json(PROMPT)}" after "number 9876-5432", key sk-proj-Q7dR2mZ9xK4pL8vN1sT6`));
    await on.recorder.flush();
    const { error } = (on.synap.stored[1]?.metadata ?? {}) as { error?: string };
    expect(error).toMatch(/^Error: Refused /);
    for (const secret of ['Müller', '4242', 'hunter2', '9876', 'Q7dR2']) expect(error).not.toContain(secret);
  });

  it('records no quote of what redact has taken out', async () => {
    await using on = await recorderOn(undefined, {
      redact: message => ({ ...message, content: message.content.replaceAll('tulip-1', '…') }),
    });
    const turn = on.recorder.turn({ conversationId: 'c' });
    turn.user('The word is tulip-1');
    turn.append('So it is');
    turn.fail(new Error('The prompt "tulip-1" was refused'));
    await on.recorder.flush();
    expect(JSON.stringify(on.synap.stored)).not.toContain('tulip');
  });
});
