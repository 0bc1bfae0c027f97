import { once } from 'node:events';

/** Writes to stdout, and waits while the reader is behind: what is on its way out stays small. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** A line on stderr, where it is in nobody's way. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
