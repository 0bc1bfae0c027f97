import { resolve } from 'node:path';
import * as z from 'zod/v4';
import { IN_MEMORY } from '../../internal/sqlite/database.js';
import type { Outbox } from '../outbox.js';
import { readOutboxOptions } from '../read-options.js';
import { DurableOutbox } from './durable-outbox.js';

const GiB = 1024 ** 3;

export interface SqliteOutboxOptions {
  /**
   * The file. It is made if it isn't there; its folder is not. It holds transcripts, so only its owner may read it. A relative
   * path is resolved once, when the outbox is made. However many outboxes a process makes on a file, it opens it once.
   */
  path: string;
  /**
   * What an accepted message survives. `normal`: the end of the process, even by `kill -9`. `full`: a power cut, too; then
   * each message waits for the disk. Default `normal`.
   */
  durability?: 'normal' | 'full' | undefined;
  /**
   * Bytes of message JSON that the file holds at most, dead letters included; at least 1. When it is full, new turns are
   * refused and counted as lost. The file shrinks again when it is quiet. Default 1 GiB.
   */
  maxBytes?: number | undefined;
  /** Messages that are pending or in flight at most; at least 1. Default: no limit but `maxBytes`. */
  maxMessages?: number | undefined;
  /**
   * Of several processes on the file, one delivers. When it ends, another on the same machine takes over at once; when it only
   * gives no sign of life, after so many milliseconds.
   * 100 to 3,600,000, and the same in all of them. Default 10,000.
   */
  leaseMs?: number | undefined;
}

const atLeastOne = z.int().min(1);

const schema = z.strictObject({
  path: z
    .string()
    .min(1)
    .refine(path => path !== IN_MEMORY, 'must be a file: memoryOutbox() is the outbox without one')
    // Node.js opens no path with a NUL, and SQLite takes `file:` for a URL: what stands beside the file would be elsewhere.
    .refine(path => !path.includes('\0'), 'must not hold a NUL character')
    .refine(path => !/^file:/i.test(path), 'must be a path, not a URL: fileURLToPath(url) of node:url makes one'),
  durability: z.enum(['normal', 'full']).default('normal'),
  maxBytes: atLeastOne.default(GiB),
  maxMessages: atLeastOne.optional(),
  leaseMs: z.int().min(100).max(3_600_000).default(10_000),
});

/**
 * An outbox in a SQLite file. What it has accepted outlives the process, and several processes may share it: all of them
 * put, one of them delivers, and when that one dies, another takes over. What was in flight then is sent again.
 *
 * When the file can't be used (the disk is full, it is damaged, it belongs to another program), messages wait in memory,
 * 10,000 of them and 32 MiB at most, and move into the file once it has recovered. The log says so. A file that it can't read
 * is left as it is.
 *
 * @throws {@link InvalidInputError} an option is wrong; `field` names it. a file that can't be used never throws
 * @example
 * ```ts
 * const recorder = createRecorder({ outbox: sqliteOutbox({ path: './synap-outbox.db' }) });
 * ```
 */
export function sqliteOutbox(options: SqliteOutboxOptions): Outbox {
  const {
    path,
    maxMessages = Number.POSITIVE_INFINITY,
    ...settings
  } = readOutboxOptions('sqliteOutbox', schema, options);
  return new DurableOutbox({ ...settings, maxMessages, path: resolve(path) });
}
