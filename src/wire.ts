/**
 * `synap-recorder/wire`: for a program that implements Synap's API, or reads from one without {@link SynapClient}, as
 * `synap-recorder-local` does both.
 *
 * It exports the checks and shapes on which both ends of the wire must agree: what a UUID is, what JSON metadata may
 * hold, a message as the wire carries it, and the error that an answer stands for, with the API key masked.
 */
export { copyJson, type JsonProblem } from './internal/json.js';
export { errorFromResponse } from './synap/error-from-response.js';
export { isUuid, type WireMessage } from './synap/messages.js';
export { scrubber } from './synap/scrub.js';
export type { HttpResponse } from './synap/transport.js';
