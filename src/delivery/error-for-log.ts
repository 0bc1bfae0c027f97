import { SynapError } from '../synap/errors.js';

/** An error in words fit for a log: ours hold neither key nor message text; of others, only the name. */
export function errorForLog(error: unknown): string {
  try {
    if (SynapError.is(error)) return error.message;
    return error instanceof Error ? String(error.name) : 'unknown error';
  } catch {
    // A revoked proxy can not even be asked what it is.
    return 'unknown error';
  }
}
