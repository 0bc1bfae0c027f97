// How the viewer renders texts: Markdown, prompts, excerpts, figures.

import { describe, expect, it } from 'vitest';
import { excerpt } from '../../src/viewer/excerpt.js';
import { count, counted, duration } from '../../src/viewer/format.js';
import { listPath, parseListQuery } from '../../src/viewer/list-query.js';
import { Typesetter } from '../../src/viewer/markdown.js';
import { answerFacts } from '../../src/viewer/message-facts.js';

const answer = (text: string) => new Typesetter().html('assistant', text);
const prompt = (text: string) => new Typesetter().html('user', text);

describe('an answer', () => {
  it('is Markdown', () => {
    expect(answer('**bold** `code`\n\n- one\n- two')).toBe(
      '<p><strong>bold</strong> <code>code</code></p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n',
    );
  });

  it.each(['<b>x</b>', '<script>alert(1)</script>', '<!-- x -->', '<x onclick=1>'])('shows %s as text', html => {
    expect(answer(html)).not.toMatch(/<(b|script|x|!)/);
    expect(answer(html)).toContain('&lt;');
  });

  it.each(['https://a.example', 'http://a.example/x?y=1&z=2', 'mailto:ada@a.example'])('links to %s', url => {
    expect(answer(`[x](${url})`)).toMatch(
      /^<p><a href="[^"]+" rel="noopener noreferrer nofollow" target="_blank">x<\/a>/,
    );
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///x',
    'vbscript:x',
    '/session',
    '//a.example',
    '#m1',
    'x.md',
  ])('does not link to %s', url => {
    expect(answer(`[x](${url})`)).not.toContain('<a');
  });

  it('leaves an address without a scheme alone', () => {
    expect(answer('see README.md, a.example, and ada@a.example')).not.toContain('<a');
    expect(answer('see https://a.example/x.')).toContain('href="https://a.example/x"');
  });

  it('shows an image as a link, in a link as text', () => {
    expect(answer('![a *sky*](https://a.example/x.png)')).toContain('>Image: a *sky*</a>');
    const nested = answer('[![sky](https://a.example/x.png)](https://b.example)');
    expect(nested.match(/<a /g)).toHaveLength(1);
    expect(nested).toContain('<span class="image">Image: sky</span>');
    expect(answer('![x](javascript:alert(1))')).not.toContain('<a');
    expect(answer('![x](https://a.example)')).not.toContain('<img');
  });

  it('has columns aligned by classes, not by styles', () => {
    const table = answer('| a | b |\n|--:|:-:|\n| 1 | 2 |');
    expect(table).toContain('<td class="right">1</td>');
    expect(table).not.toContain('style');
  });

  it('names the language of its code, whatever that is', () => {
    expect(answer('```"><x\n<y>\n```')).toContain('<figcaption>&quot;&gt;&lt;x</figcaption>');
    expect(answer('```js\n<y>\n```')).toContain('<code>&lt;y&gt;\n</code>');
  });

  it('that is very long is shown as it was written', () => {
    const long = `**x** ${'<b> '.repeat(20_000)}`;
    expect(answer(long)).toMatch(/^<div class="plain">\*\*x\*\* &lt;b&gt;/);
  });
});

describe('a prompt', () => {
  it('is what was typed: only code and addresses are more', () => {
    expect(prompt('# 2 * 3 * 4\n_x_ <b>')).toBe('<p># 2 * 3 * 4<br>\n_x_ &lt;b&gt;</p>\n');
    expect(prompt('`x`')).toContain('<code>x</code>');
    expect(prompt('```\nx\n```')).toContain('<pre');
    expect(prompt('https://a.example')).toContain('rel="noopener noreferrer nofollow"');
    expect(prompt('javascript:alert(1)')).not.toContain('<a');
  });
});

describe('an excerpt', () => {
  const marked = (text: string, ...terms: string[]) =>
    excerpt(text, terms)
      ?.map(({ text, found }) => (found ? `[${text}]` : text))
      .join('');

  it('shows each term in its surroundings, as it was written', () => {
    expect(marked('Air Scatters light, and light scatters.', 'scatters', 'light')).toBe(
      'Air [Scatters] [light], and [light] [scatters].',
    );
  });

  it('begins and ends near the first find', () => {
    const text = `${'a '.repeat(500)}needle ${'b '.repeat(500)}`;
    expect(marked(text, 'needle')).toMatch(/^…(a ){30}\[needle\] (b ?)+…$/);
  });

  it('is none where nothing is found', () => {
    expect(marked('hay', 'needle')).toBeUndefined();
  });

  it('is not confused by letters that are longer in lower case', () => {
    expect(marked('İİİ needle', 'needle')).toBe('İİİ [needle]');
  });
});

describe('the metadata of a message', () => {
  it('counts only if it is what it should be', () => {
    const facts = answerFacts({
      model: { name: 'x' },
      latency_ms: '12',
      input_tokens: -1,
      status: 'great',
      tool_calls: 'x',
      attachments: [
        null,
        7,
        'x',
        { url: 'javascript:x' },
        { filename: '', media_type: 'image/png', url: 'https://a.b/c' },
      ],
      error: ['x'],
    });
    expect(facts).toMatchObject({
      model: undefined,
      latencyMs: undefined,
      inputTokens: undefined,
      status: undefined,
      toolCalls: [],
      error: undefined,
    });
    expect(facts.attachments).toEqual([
      { label: 'file', mediaType: undefined, url: undefined },
      { label: 'image/png', mediaType: 'image/png', url: 'https://a.b/c' },
    ]);
  });
});

describe('figures', () => {
  it.each([
    [0, '0 ms'],
    [820.4, '820 ms'],
    [1234, '1.2 s'],
    [9949, '9.9 s'],
    [9950, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min'],
    [125_000, '2 min 5 s'],
    [119_999, '2 min'],
  ])('%d ms reads as %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('are grouped, and have a plural', () => {
    expect(count(1234567)).toBe('1,234,567');
    expect([counted(1, 'turn'), counted(0, 'turn')]).toEqual(['1 turn', '0 turns']);
  });
});

describe('the address of a list', () => {
  it('contains the query of the list, and nothing else', () => {
    const query = parseListQuery({ q: ' x ', user: 'a&b', model: '', before: '12', status: 'error', evil: '1' });
    expect(query).toEqual({ q: 'x', filter: { user: 'a&b', status: 'error' }, before: 12 });
    expect(listPath(query)).toBe('/?q=x&user=a%26b&status=error&before=12');
    expect(listPath(parseListQuery({ before: '-1', user: 'a\0' }))).toBe('/');
  });
});
