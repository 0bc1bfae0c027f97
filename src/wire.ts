/**
 * `synap-recorder/wire`: for a program that implements Synap's API, or reads from one without {@link SynapClient}, as
 * `synap-recorder-local` does both.
 *
 * It exports what both ends of the wire must agree on (what a UUID is, what JSON metadata may hold, a message as the wire
 * carries it), and the one way to Synap: {@link SynapEndpoint} checks address and key, sets the headers, masks secrets and
 * makes errors of answers; {@link streamTransport} is for answers that are too long to be held.
 */
export { copyJson, type JsonProblem } from './internal/json.js';
export { type StreamedResponse, streamTransport } from './synap/http-stream.js';
export { isUuid, type WireMessage } from './synap/messages.js';
export { deadlineIn, SynapEndpoint, type SynapRequest } from './synap/request.js';
