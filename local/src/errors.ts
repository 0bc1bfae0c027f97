/**
 * Why a local Synap could not start: a wrong option, a port that is in use, a database it can't use. The message says
 * what to do about it, in one line.
 */
export class LocalSynapError extends Error {
  override readonly name = 'LocalSynapError';
}
