import { once } from 'node:events';
import { EXIT } from './exit-code.js';
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

/** `1 message`, `2 messages`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** An error as one line, whatever stands in it. */
export function errorLine(text: string): string {
  return `${harmlessLine(text.trim().replaceAll(/\s*\n\s*/g, ' '))}\n`;
}

/**
 * What happens when stdout can't be written. A command that only writes (`… | head`) has nobody left to write to: that
 * is an end like any other. One that does more than write goes on, and ends with a code of its own.
 */
export function endWithReader({ onlyWrites }: { onlyWrites: boolean }): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const isGone = error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED';
    if (isGone && !onlyWrites) return;
    if (!isGone) process.stderr.write(errorLine(`error: the output can't be written: ${error.message}`));
    process.exit(isGone ? EXIT.ok : EXIT.error);
  });
  // Nobody is left to tell.
  process.stderr.on('error', () => {});
}
