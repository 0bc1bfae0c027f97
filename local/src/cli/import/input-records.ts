/** A piece of the input: a line, or the whole of a JSON file. */
export interface InputRecord {
  /** The line it begins on; the first is 1. */
  readonly line: number;
  readonly content: { readonly value: unknown } | { readonly problem: string };
}

const MiB = 1024 * 1024;

/** The longest line, and the largest JSON file that is not line by line: both are read whole. */
const MAX_WHOLE_BYTES = 64 * MiB;
const NEWLINE = 0x0a;

const TOO_LONG = `is longer than ${MAX_WHOLE_BYTES / MiB} MiB`;

/**
 * Reads JSON Lines, a line at a time, so that memory does not grow with the input. A file that is one JSON value over
 * several lines is read whole, up to 64 MiB.
 *
 * A line that is not JSON is a record with a problem; empty lines are skipped.
 *
 * @throws Error the input is one JSON value, and larger than 64 MiB
 */
export async function* inputRecords(input: AsyncIterable<Uint8Array>): AsyncGenerator<InputRecord> {
  const lines = numberedLines(input);
  let isFirst = true;
  // Not for await: its early end would end `lines`, too.
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    const line = next.value;
    if (isBlank(line)) continue;
    const record = parse(line);
    if (isFirst && 'problem' in record.content && beginsJson(line)) yield* wholeOrLines(line, lines);
    else yield record;
    isFirst = false;
  }
}

/** A bad first line may be the beginning of a file that is one JSON value: only its end shows it. */
async function* wholeOrLines(first: Line, lines: AsyncGenerator<Line>): AsyncGenerator<InputRecord> {
  const kept = [first];
  let bytes = first.bytes?.length ?? 0;
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    kept.push(next.value);
    bytes += (next.value.bytes?.length ?? MAX_WHOLE_BYTES) + 1;
    if (bytes <= MAX_WHOLE_BYTES) continue;
    if (isArrayStart(first))
      throw new Error(
        `The input is one JSON array and ${TOO_LONG}: write it as JSON Lines, one conversation a line, for example with jq -c '.[]'`,
      );
    break;
  }
  if (bytes <= MAX_WHOLE_BYTES) {
    const whole = parse({
      number: first.number,
      bytes: Buffer.concat(kept.flatMap(({ bytes = new Uint8Array() }) => [bytes, BREAK])),
    });
    if ('value' in whole.content) return yield whole;
  }
  for (const line of kept) if (!isBlank(line)) yield parse(line);
}

interface Line {
  readonly number: number;
  /** Without the line break; undefined when it is longer than MAX_WHOLE_BYTES. */
  readonly bytes: Uint8Array | undefined;
}

const BREAK = Uint8Array.of(NEWLINE);

// Not readline: that breaks lines at U+2028 too, which JSON may contain as it is.
async function* numberedLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let number = 1;
  let parts: Uint8Array[] = [];
  let length = 0;
  const end = (last: Uint8Array): Line => {
    const whole = length + last.length <= MAX_WHOLE_BYTES;
    const line = { number: number++, bytes: whole ? Buffer.concat([...parts, last]) : undefined };
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of input) {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      yield end(chunk.subarray(start, at));
      start = at + 1;
    }
    const rest = chunk.subarray(start);
    length += rest.length;
    if (length <= MAX_WHOLE_BYTES) parts.push(rest);
    else parts = [];
  }
  if (length > 0) yield end(new Uint8Array());
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parse({ number, bytes }: Line): InputRecord {
  const problem = (problem: string) => ({ line: number, content: { problem } });
  if (bytes === undefined) return problem(TOO_LONG);
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return problem('is not UTF-8');
  }
  try {
    return { line: number, content: { value: JSON.parse(text) } };
  } catch {
    return problem('is not JSON');
  }
}

function isBlank({ bytes }: Line): boolean {
  return bytes !== undefined && bytes.length < 1024 && new TextDecoder().decode(bytes).trim() === '';
}

function beginsJson({ bytes }: Line): boolean {
  return bytes !== undefined && /^\s*[[{]/.test(new TextDecoder().decode(bytes.subarray(0, 1024)));
}

function isArrayStart({ bytes }: Line): boolean {
  return bytes !== undefined && /^\s*\[/.test(new TextDecoder().decode(bytes.subarray(0, 1024)));
}
