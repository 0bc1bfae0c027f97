// Named imports that an old Node lacks would end the program before it can say so.
import util from 'node:util';

/** Text in a style, where `stream` shows any: a terminal, unless NO_COLOR says no, or FORCE_COLOR yes. */
export function styled(
  format: Parameters<typeof util.styleText>[0],
  text: string,
  stream: NodeJS.WriteStream = process.stdout,
): string {
  return util.styleText(format, text, { stream });
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

/** Narrower than this, lines are not made: some terminals say 0. */
const NARROWEST = 20;

// Of a terminal that does not know its size.
const USUAL = 80;

/** How many columns lines may have: those of the terminal; anything else gets whole lines. */
export function columns(stream: NodeJS.WriteStream = process.stdout): number {
  return stream.isTTY ? Math.max(NARROWEST, stream.columns || USUAL) : Number.POSITIVE_INFINITY;
}
