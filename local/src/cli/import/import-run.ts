import { type ImportFormat, readRecord, recordsIn } from './format.js';
import type { ImportDelivery } from './import-delivery.js';
import { inputRecords } from './input-records.js';
import { BadRecord, type ImportDefaults, type LeftOut, type ReadRecord } from './messages.js';

/** The counts of an import. */
export interface ImportCounts {
  /** Messages that this run has delivered. */
  delivered: number;
  /** Messages that an earlier run had delivered. */
  deliveredBefore: number;
  /** Messages that are in the input more than once. */
  repeated: number;
  /** Messages that Synap refused. */
  refused: number;
  /** Messages that are no part of a transcript, by why. */
  leftOut: Partial<Record<LeftOut, number>>;
  /** Lines, or elements of an array, of which nothing was imported. */
  badLines: number;
}

export interface ImportInput {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly format: ImportFormat | undefined;
  readonly defaults: ImportDefaults;
  /** Whether to read no further. */
  stopped(): boolean;
  /** A line of which nothing is imported, and why. */
  bad(place: string, problem: string): void;
}

/** Reads an input to its end, and hands its messages to the delivery. Counts into `counts`. */
export async function importFrom(input: ImportInput, delivery: ImportDelivery, counts: ImportCounts): Promise<void> {
  let conversationTaken = false;
  for await (const { line, content } of inputRecords(input.bytes)) {
    // A line that stop() has cut off is not a bad line.
    if (input.stopped()) return;
    if ('problem' in content) {
      counts.badLines++;
      input.bad(`line ${line}`, content.problem);
      continue;
    }
    const records = recordsIn(content.value);
    for (const [index, value] of records.entries()) {
      if (input.stopped()) return;
      const place = value === content.value ? `line ${line}` : `line ${line}, element ${index + 1}`;
      const record = read(value, input, line + index, conversationTaken);
      if (!(record instanceof BadRecord)) conversationTaken ||= record.nameless;
      if (record instanceof BadRecord) {
        counts.badLines++;
        input.bad(place, record.message);
      } else await put(record, place, delivery, counts);
    }
  }
}

function read(
  value: unknown,
  { format, defaults }: ImportInput,
  place: number,
  conversationTaken: boolean,
): ReadRecord | BadRecord {
  try {
    const record = readRecord(value, format, defaults, place);
    // Two finished conversations must not become one.
    if (record.nameless && conversationTaken && defaults.identity.conversationId !== undefined)
      return new BadRecord('has no id, and --conversation names only the first that has none');
    return record;
  } catch (error) {
    if (error instanceof BadRecord) return error;
    // Whatever else is wrong costs this line alone; the error's own text may quote it.
    return new BadRecord(error instanceof RangeError ? error.message : 'cannot be read in this format');
  }
}

async function put(
  { messages, leftOut }: ReadRecord,
  place: string,
  delivery: ImportDelivery,
  counts: ImportCounts,
): Promise<void> {
  for (const why of leftOut) counts.leftOut[why] = (counts.leftOut[why] ?? 0) + 1;
  for (const message of messages) {
    const outcome = await delivery.put(message, place);
    if (outcome === 'delivered before') counts.deliveredBefore++;
    else if (outcome === 'repeated') counts.repeated++;
  }
}
