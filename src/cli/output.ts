import { once } from 'node:events';
import { harmlessLine } from './terminal.js';

/** Writes to stdout, and waits while the reader is behind: what is on its way out stays small. */
export async function print(text: string): Promise<void> {
  if (process.stdout.destroyed || process.stdout.write(text)) return;
  // Of an error, its listener decides what it means.
  await once(process.stdout, 'drain').catch(() => {});
}

/** A value as a line of JSON. What a terminal would obey and JSON lets stand is escaped, which is the same JSON. */
export function jsonLine(value: unknown): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${JSON.stringify(value).replaceAll(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, escaped)}\n`;
}

/** A line on stderr, where it is in nobody's way. */
export function note(text: string): void {
  process.stderr.write(`${harmlessLine(text)}\n`);
}
