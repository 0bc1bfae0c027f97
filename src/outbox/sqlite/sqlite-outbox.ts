import { resolve } from 'node:path';
import * as z from 'zod/v4';
import { IN_MEMORY } from '../../internal/sqlite/database.js';
import { InvalidInputError } from '../../synap/errors.js';
import type { Outbox } from '../outbox.js';
import { DurableOutbox } from './durable-outbox.js';

const GiB = 1024 ** 3;

export interface SqliteOutboxOptions {
  /** The file; made if it isn't there, in a folder that is. It holds transcripts: only its owner may read it. */
  path: string;
  /**
   * What an accepted message survives: with `normal`, the default, the end of the process, even by `kill -9`; with `full`
   * a power cut, too, for which each message waits for the disk.
   */
  durability?: 'normal' | 'full' | undefined;
  /** Bytes of message JSON it holds at most, dead letters included. Default 1 GiB. The file does not shrink again. */
  maxBytes?: number | undefined;
  /** Messages it holds at most, in flight included. Default: no limit but `maxBytes`. */
  maxMessages?: number | undefined;
  /**
   * Of several processes on the file, one sends. After how many milliseconds without a sign of life another takes over.
   * Default 10,000; at least 100. The same in all of them.
   */
  leaseMs?: number | undefined;
}

const atLeastOne = z.int().min(1);

const schema = z.strictObject({
  path: z
    .string()
    .min(1)
    .refine(path => path !== IN_MEMORY, 'must be a file: memoryOutbox() is the outbox without one'),
  durability: z.enum(['normal', 'full']).default('normal'),
  maxBytes: atLeastOne.default(GiB),
  maxMessages: atLeastOne.optional(),
  leaseMs: z.int().min(100).max(3_600_000).default(10_000),
});

/**
 * An outbox in a SQLite file. What it has accepted outlives the process, and several processes may share it: all of them
 * put, one of them sends, and when that one dies, another goes on. What was on its way then is sent again.
 *
 * When the file can't be used (the disk is full, it is damaged, it belongs to another program), messages wait in memory,
 * 10,000 of them and 32 MiB at most, and move into the file once it is well. The log says so. A file that it can't read
 * is left as it is.
 *
 * @throws {@link InvalidInputError} an option is wrong; `field` names it. Trouble with the file never throws
 * @example
 * ```ts
 * const recorder = createRecorder({ outbox: sqliteOutbox({ path: './synap-outbox.db' }) });
 * ```
 */
export function sqliteOutbox(options: SqliteOutboxOptions): Outbox {
  const parsed = schema.safeParse(options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const field = unknown ?? (issue?.path.join('.') || 'options');
    throw new InvalidInputError(`sqliteOutbox: ${field}: ${issue?.message ?? 'is wrong'}`, { field });
  }
  const { path, maxMessages = Number.POSITIVE_INFINITY, ...settings } = parsed.data;
  return new DurableOutbox({ ...settings, maxMessages, path: resolve(path) });
}
