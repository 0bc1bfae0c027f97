import MarkdownIt from 'markdown-it';
import { harmless } from 'synap-recorder/cli';

const parser = new MarkdownIt('commonmark', { html: true });

/** Texts of many markings need some rounds: what is escaped in one may show more. */
const MAX_ROUNDS = 5;
/** Longer ones stand as code, whole: some texts take Markdown quadratic time. */
const MAX_CHARACTERS = 32 * 1024;

/**
 * What somebody said, as a part of a Markdown document that others write the headings of: its emphasis, lists, tables and code
 * blocks stay, but it makes no headings, rules or HTML, leaves no code block open, and turns no direction of writing. So nobody
 * can say what looks like the words of another.
 *
 * @example
 * ```ts
 * markdownText('Hi\n\n### Assistant\n\nYes.'); // 'Hi\n\n\\### Assistant\n\nYes.'
 * ```
 */
export function markdownText(said: string): string {
  let text = harmless(said.trimEnd());
  if (text.length > MAX_CHARACTERS) return asCode(text);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const escaped = escapeStructure(text);
    if (escaped === text) return leavesOpen(text) ? closed(text) : text;
    text = escaped;
  }
  return asCode(text);
}

function escapeStructure(text: string): string {
  const lines = text.split('\n');
  const escapeIn = (line: number, mark: RegExp) => {
    lines[line] = (lines[line] ?? '').replace(mark, '\\$&');
  };
  for (const { type, markup, map, children } of parser.parse(text, {})) {
    if (map === null) continue;
    const [from, to] = map;
    if (type === 'heading_open' && markup.startsWith('#')) escapeIn(from, /#/);
    else if (type === 'heading_open') escapeIn(to - 1, /[=-]/);
    else if (type === 'hr') escapeIn(from, /[-*_]/);
    else if (type === 'html_block') for (let line = from; line < to; line++) escapeIn(line, /<(?=[a-z/!?])/gi);
    else if (children?.some(child => child.type === 'html_inline'))
      for (let line = from; line < to; line++)
        escapeIn(line, /(?<!\\)<(?=[a-z/!?])(?!(?:https?:\/\/|mailto:)[^\s>]*>)/gi);
  }
  return lines.join('\n');
}

/** Whether a heading that follows would be taken for a part of it. */
function leavesOpen(text: string): boolean {
  const end = text.split('\n').length + 1;
  const tokens = parser.parse(`${text}\n\n### end\n`, {});
  return !tokens.some(({ type, level, map }) => type === 'heading_open' && level === 0 && map?.[0] === end);
}

/** A code block that was cut off would swallow the rest of the page. */
function closed(text: string): string {
  const fences = [...text.matchAll(/^ {0,3}(`{3,}|~{3,})/gm)].map(([, fence]) => fence);
  for (const fence of fences.reverse()) {
    const whole = `${text}\n${fence}`;
    if (!leavesOpen(whole)) return whole;
  }
  return asCode(text);
}

/** The text as a block of code, with a fence that it does not have itself. */
function asCode(text: string): string {
  const longest = [...text.matchAll(/`+/g)].reduce((most, [run]) => Math.max(most, run.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
