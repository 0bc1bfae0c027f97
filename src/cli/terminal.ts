import { styleText } from 'node:util';
import wrapAnsi from 'wrap-ansi';

/** Text in a style, where `stream` shows any: a terminal, unless NO_COLOR says no, or FORCE_COLOR yes. */
export function styled(
  format: Parameters<typeof styleText>[0],
  text: string,
  stream: NodeJS.WriteStream = process.stdout,
): string {
  return styleText(format, text, { stream });
}

/**
 * A text as a terminal may be given it. What was recorded may hold anything: control characters, which could move the
 * cursor or change the terminal's title, and marks that turn the direction of writing, are shown as visible ones.
 */
export function harmless(text: string): string {
  return visible(text).replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** A text whose control characters, but for those that set it in lines and columns, can be seen. */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(/(?![\n\t])\p{Cc}/gu, picture);
}

/** As {@link harmless}, of a text that is part of a line: nothing in it ends the line or moves it to another column. */
export function harmlessLine(text: string): string {
  return harmless(text.replaceAll(/[\n\r\t]/g, picture)).replaceAll(/[\u2028\u2029]/g, '\ufffd');
}

/** Unicode has pictures of the old control characters; of those beyond ASCII it has none. */
function picture(control: string): string {
  const code = control.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

const NARROWEST = 20;

// Of a terminal that does not know its size.
const USUAL = 80;

/** How many columns lines may have: those of the terminal; anything else gets whole lines. */
export function columns(stream: NodeJS.WriteStream = process.stdout): number {
  return stream.isTTY ? Math.max(NARROWEST, stream.columns || USUAL) : Number.POSITIVE_INFINITY;
}

/** Lines of at most `width` columns, indented. A line that is broken keeps its own indentation. */
export function wrapped(text: string, indent: string, width: number): string {
  return text
    .split('\n')
    .flatMap(line => {
      if (line.trim() === '') return [''];
      const [own = ''] = /^[ \t]*/.exec(line) ?? [];
      const lead = indent + own.replaceAll('\t', '    ');
      const room = width - lead.length;
      if (room < NARROWEST / 2) return wrapAnsi(line, width, { hard: true }).split('\n');
      if (room === Number.POSITIVE_INFINITY) return [lead + line.slice(own.length)];
      return wrapAnsi(line.slice(own.length), room, { hard: true })
        .split('\n')
        .map(part => lead + part);
    })
    .join('\n');
}
