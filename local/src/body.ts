import { HTTPException } from 'hono/http-exception';

/**
 * The JSON of a request's body. A body without a `Content-Length` is counted while it comes in.
 *
 * @throws HTTPException 415 for another content type, 413 for more than `maxBytes`, 400 for what is not JSON in UTF-8
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<unknown> {
  // A page of another site can't send this type without a CORS preflight, which is never allowed.
  expectType(request, 'application/json');
  const bytes = await readBytes(request, maxBytes);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new HTTPException(400, { message: 'The body is not valid JSON' });
  }
}

/**
 * The fields of a form's body.
 *
 * @throws HTTPException 415 for another content type, 413 for more than `maxBytes`
 */
export async function readForm(request: Request, maxBytes: number): Promise<URLSearchParams> {
  expectType(request, 'application/x-www-form-urlencoded');
  return new URLSearchParams(new TextDecoder().decode(await readBytes(request, maxBytes)));
}

function expectType(request: Request, expected: string): void {
  const [type] = (request.headers.get('content-type') ?? '').split(';');
  if (type?.trim().toLowerCase() !== expected)
    throw new HTTPException(415, { message: `Content-Type must be ${expected}` });
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new HTTPException(413, { message: `The body is larger than ${maxBytes} bytes` });
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (;;) {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) return Buffer.concat(chunks, size);
    size += chunk.value.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk.value);
  }
}
