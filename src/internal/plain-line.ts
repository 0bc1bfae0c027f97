const ESC = String.fromCharCode(0x1b);
const CSI = String.fromCharCode(0x9b);
const BEL = String.fromCharCode(0x07);

// What a terminal takes for commands: colours and cursor moves; titles and links.
const TERMINAL = new RegExp(
  `(?:${ESC}\\[|${CSI})[0-?]{0,50}[ -/]{0,10}[@-~]|${ESC}[\\]PX^_][^${BEL}${ESC}]{0,500}(?:${BEL}|${ESC}\\\\)?`,
  'g',
);

/**
 * A text on one line, as a log may hold it: without control characters, commands for terminals, and marks that change the
 * direction of what is read or that nobody sees.
 */
export function plainLine(text: string): string {
  return text
    .toWellFormed()
    .replace(TERMINAL, '')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/\p{Cf}/gu, '');
}
