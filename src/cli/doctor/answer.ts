import { randomUUID } from 'node:crypto';
import { isHtml, isSuccess } from '../../synap/error-from-response.js';
import { NetworkError } from '../../synap/errors.js';
import { type Answered, deadlineIn, type SynapEndpoint, type SynapRequest } from '../../synap/request.js';
import type { HttpResponse, HttpTransport } from '../../synap/transport.js';
import { since } from './network.js';

const SECOND = 1000;
const TIMEOUT_MS = 10 * SECOND;

/** What a request of the doctor's was answered with. */
export interface Answer {
  readonly request: SynapRequest;
  readonly response: Answered<HttpResponse>;
  readonly status: number;
  /** Of JSON; undefined for anything else. */
  readonly body: unknown;
  /** The server's clock, in milliseconds since 1970. */
  readonly date: number | undefined;
  readonly ms: number;
}

export type Ask = (path: string, options: { anonymous: boolean }) => Promise<Answer | string>;

/** Asks an endpoint. Where nothing answers, a text says why. */
export function asker(synap: SynapEndpoint, transport: HttpTransport): Ask {
  return async (path, { anonymous }) => {
    const begun = performance.now();
    const request = { path, anonymous, deadline: deadlineIn(TIMEOUT_MS) };
    try {
      const response = await synap.ask(transport, request);
      const date = Date.parse(response.header('date') ?? '');
      return {
        request,
        response,
        status: response.status,
        body: parse(response.body),
        date: Number.isNaN(date) ? undefined : date,
        ms: performance.now() - begun,
      };
    } catch (error) {
      if (!NetworkError.is(error)) throw error;
      return `no answer (${error.message}; ${since(begun)})`;
    }
  };
}

/** A path that no server has. */
export function impossiblePath(): string {
  return `/v1/doctor-${randomUUID()}`;
}

/** Whether an answer is a success with JSON in it: a page, or nothing, is not Synap's. */
export function isJsonSuccess({ response, body }: Answer): boolean {
  return isSuccess(response) && body !== undefined;
}

/** What an answer is that is not Synap's, and what to do; undefined where it may be Synap's. */
export function strangerOf(answer: Answer): { finding: string; advice: string } | undefined {
  const { status, response, body } = answer;
  const isPage = body === undefined && isHtml(response);
  if (status === 407)
    return {
      finding: 'a proxy answers, and wants signing in (407)',
      advice:
        'put its user and password into HTTPS_PROXY or HTTP_PROXY (http://user:password@host:port), or let NO_PROXY leave this address out',
    };
  if (status === 511 || (status >= 300 && status <= 399))
    return {
      finding: `${status === 511 ? 'the network wants signing in' : 'something sends elsewhere'} (${status}), as the sign-in page of a network does`,
      advice: 'open a web page to sign in to the network, or check that SYNAP_BASE_URL is the address of Synap itself',
    };
  if (isPage && isSuccess(response))
    return {
      finding: `a web page answers (${status})`,
      advice:
        'check that SYNAP_BASE_URL is the address of Synap; in a network that wants signing in, open a web page first',
    };
  if (isPage && (status === 401 || status === 403 || status === 406 || status === 451))
    return {
      finding: `a web page refuses the request (${status}), as a firewall or proxy does`,
      advice:
        'let the firewall in front of Synap pass this machine, or check that SYNAP_BASE_URL is the address of Synap',
    };
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
