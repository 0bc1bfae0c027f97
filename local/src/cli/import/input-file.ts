import { createReadStream, openSync, statSync } from 'node:fs';
import type { Readable } from 'node:stream';

/** What an import reads: a file, or stdin. */
export class InputFile implements AsyncIterable<Uint8Array> {
  /** Undefined for stdin, whose size is not known. */
  readonly size: number | undefined;
  bytesRead = 0;
  readonly #stream: Readable;

  /**
   * @param path a file, or `-` for stdin
   * @throws Error it is not a file, or can't be read
   */
  constructor(path: string) {
    this.size = path === '-' ? undefined : sizeOf(path);
    this.#stream = path === '-' ? process.stdin : createReadStream(path, { fd: open(path) });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#stream) {
        this.bytesRead += chunk.length;
        yield chunk;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    }
  }

  /** Ends the reading now: nobody waits for what a pipe may still bring. */
  stop(): void {
    this.#stream.destroy();
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const next = code === 'EACCES' ? 'check its permissions' : 'name a regular file, or pipe it into import -';
    throw new Error(`${path} can't be read (${code}): ${next}`);
  }
}

function sizeOf(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new Error(`${path} does not exist: check the path`);
  if (stats.isDirectory()) throw new Error(`${path} is a folder: name a file in it`);
  return stats.size;
}
