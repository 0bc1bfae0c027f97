import { clearTimeout, setTimeout } from '../internal/timers.js';
import { describeFailure } from './network-error.js';
import type { BodyLimits } from './transport.js';

const SECOND = 1000;

/** Receipts are small. A server that streams without end must not fill the app's memory. */
export const MAX_RESPONSE_BYTES = 8 * 1024 * 1024;

/** For the whole body, once status and headers were read: they say already what became of the messages. */
export const BODY_TIMEOUT_MS = 10 * SECOND;

const RECEIPT: BodyLimits = { maxBytes: MAX_RESPONSE_BYTES, timeoutMs: BODY_TIMEOUT_MS };

/** A body that is read piece by piece: a stream's async iterator, or its reader. */
export interface BodyReader {
  read(): Promise<{ done?: boolean | undefined; value?: Uint8Array | undefined }>;
  /** Aborts the answer. */
  cancel(): void;
}

/** Reads a body, or as much of it as comes. Never rejects: with `unread`, it says why that is not all. */
export async function readBody(
  reader: BodyReader,
  { maxBytes, timeoutMs }: BodyLimits = RECEIPT,
): Promise<{ body: string; unread?: string }> {
  const pieces: Uint8Array[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unread(`timed out after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    let bytes = 0;
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) return { body: decodeText(pieces) };
      if (!value) continue;
      bytes += value.byteLength;
      if (bytes > maxBytes) throw new Unread(`it is longer than ${maxBytes} bytes`);
      pieces.push(value);
    }
  } catch (error) {
    reader.cancel();
    return { body: decodeText(pieces), unread: error instanceof Unread ? error.message : reasonOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

class Unread extends Error {}

function decodeText(pieces: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return pieces.map(piece => decoder.decode(piece, { stream: true })).join('') + decoder.decode();
}

function reasonOf(error: unknown): string {
  const { code, name, parserReason } = describeFailure(error);
  switch (code) {
    case 'ECONNRESET':
      return 'connection reset';
    case 'UND_ERR_SOCKET':
      return 'connection closed';
    case 'UND_ERR_DESTROYED':
    case 'aborted':
      return 'the call was aborted';
    default:
      return parserReason ?? (code || name);
  }
}
