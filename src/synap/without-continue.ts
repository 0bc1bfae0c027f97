import type { Socket } from 'node:net';

const CONTINUE = /^HTTP\/1\.[01] 100[ \r]/;
/** As much of a first line as tells whether it is one. */
const FIRST_BYTES = 'HTTP/1.1 100 '.length;
const FIRST_LINES = ['HTTP/1.1 100 ', 'HTTP/1.0 100 '];
const END = '\r\n\r\n';
/** As long as the headers of an answer may be. */
const MAX_BYTES = 128 * 1024;

/**
 * Lets a connection pass over `100 Continue` in front of an answer, which some proxies send unasked; undici takes it for a
 * broken answer, after the request was written. There is one request at a time, so what comes first after a write is the
 * beginning of its answer.
 *
 * @returns the same socket
 */
export function withoutContinue<S extends Socket>(socket: S): S {
  const read = socket.read.bind(socket);
  const write = socket.write.bind(socket);
  let isAtStart = false;
  let kept: Buffer = Buffer.alloc(0);
  socket.write = ((...args: Parameters<Socket['write']>) => {
    isAtStart = true;
    return write(...args);
  }) as Socket['write'];
  socket.read = (size?: number) => {
    for (;;) {
      const chunk: Buffer | null = read(size);
      if (!isAtStart || chunk === null) return chunk;
      kept = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
      kept = passOver(kept);
      if (isUndecided(kept)) continue;
      isAtStart = false;
      const answer = kept;
      kept = Buffer.alloc(0);
      return answer;
    }
  };
  return socket;
}

/** Without the whole interim answers at its beginning. */
function passOver(bytes: Buffer): Buffer {
  let rest = bytes;
  while (CONTINUE.test(rest.toString('latin1', 0, FIRST_BYTES))) {
    const end = rest.indexOf(END);
    if (end < 0) break;
    rest = rest.subarray(end + END.length);
  }
  return rest;
}

/** Whether more must come before it is clear that an answer begins here. */
function isUndecided(bytes: Buffer): boolean {
  if (bytes.length > MAX_BYTES) return false;
  const start = bytes.toString('latin1', 0, FIRST_BYTES);
  return CONTINUE.test(start) || FIRST_LINES.some(line => line.startsWith(start));
}
