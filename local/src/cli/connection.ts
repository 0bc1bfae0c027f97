import type { Command } from 'commander';
import { UnexpectedResponseError } from 'synap-recorder';
import {
  deadlineIn,
  type StreamedResponse,
  SynapEndpoint,
  type SynapRequest,
  streamTransport,
} from 'synap-recorder/wire';
import { VERSION } from '../version.js';

const REACH_MS = 10_000;

/** As much of the answer of /health as is read; Synap's is a line. */
const MAX_HEALTH_BYTES = 64 * 1024;

interface Answer {
  readonly status: number;
  /** Undefined where it is long, or did not come whole. */
  readonly body: string | undefined;
}

/** What an answer to a request without a key shows; `isOurs` knows the JSON of a success. */
function judge(
  { status, body }: Answer,
  isOurs: (json: Record<string, unknown>) => boolean,
): 'Synap' | 'unclear' | 'no Synap' {
  // It fails now, has too much to do, or wants a key.
  if (status >= 500 || [401, 403, 408, 425, 429].includes(status)) return 'Synap';
  if (status >= 300 && status <= 399) return 'no Synap';
  if ([404, 405, 410].includes(status) || body === undefined || /^\s*</.test(body)) return 'no Synap';
  if (status >= 400 || body.trim() === '') return 'unclear';
  const json = parsed(body);
  return json !== undefined && isOurs(json) ? 'Synap' : 'no Synap';
}

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Where a command connects to, as its flags say. */
export interface ConnectionFlags {
  baseUrl?: string;
  apiKey?: string;
}

export function addConnectionOptions(command: Command): Command {
  return command
    .option('--base-url <url>', 'address of the Synap (default: SYNAP_BASE_URL, then the cloud)')
    .option('--api-key <key>', 'its API key (default: SYNAP_API_KEY, which no list of processes shows)');
}

/** What a command asks for, beside the path. */
type RequestOptions = Pick<SynapRequest, 'method' | 'headers' | 'signal' | 'deadline'>;

/** Asks a Synap over HTTP. Errors are {@link SynapError}s, and hold no key. */
export class Connection {
  readonly baseUrl: string;
  readonly #endpoint: SynapEndpoint;
  readonly #transport: ReturnType<typeof streamTransport>;

  /** @throws {@link SynapError} the key is missing, or the key or the address is malformed */
  constructor({ baseUrl, apiKey }: ConnectionFlags) {
    const userAgent = `synap-recorder-local/${VERSION}`;
    this.#endpoint = SynapEndpoint.of({ baseUrl, apiKey, userAgent, logger: false });
    this.#transport = streamTransport(this.#endpoint.origin);
    this.baseUrl = this.#endpoint.baseUrl;
  }

  /**
   * An answer with a status of success, its body as a stream.
   *
   * @throws {@link SynapError} by the status Synap answers
   * @throws {@link NetworkError} Synap can't be reached
   */
  get(path: string, options: RequestOptions = {}): Promise<StreamedResponse> {
    return this.#endpoint.send(this.#transport, { path, ...options });
  }

  /**
   * Makes sure that a Synap is there, which need not be well. A stranger is not shown the key.
   *
   * @throws NetworkError nobody answers
   * @throws Error what answers is no Synap
   */
  async reach(): Promise<void> {
    const health = await this.#answerOf('/health');
    let verdict = judge(health, ({ status }) => typeof status === 'string');
    // Many a gateway answers in its own way to what it does not know.
    if (verdict === 'unclear') verdict = judge(await this.#answerOf('/api/v1/auth/whoami'), () => true);
    if (verdict === 'Synap') return;
    const what = health.status >= 300 ? health.status : `${health.status}, but not with Synap's JSON`;
    throw new Error(
      `${this.baseUrl} is no Synap: /health answers ${what}. Check --base-url, or SYNAP_BASE_URL; npx synap-recorder doctor says more`,
    );
  }

  async #answerOf(path: string): Promise<Answer> {
    const deadline = deadlineIn(REACH_MS);
    const answer = await this.#endpoint.ask(this.#transport, { path, anonymous: true, deadline });
    const body = answer.stream ? await readSome(answer.stream, deadline.signal) : answer.body;
    return { status: answer.status, body };
  }

  /** As {@link get}, for a route that only a local Synap has. */
  async getLocal(path: string, options: RequestOptions = {}): Promise<StreamedResponse> {
    try {
      return await this.get(path, options);
    } catch (error) {
      if (!UnexpectedResponseError.is(error) || error.status !== 404) throw error;
      const [missing] = /There is no conversation with the id [0-9a-f-]+/.exec(error.message) ?? [];
      const route = path.replace(/\?.*/, '');
      const message =
        missing === undefined
          ? `${this.baseUrl} has no ${route}: only a local Synap has that. npx synap-recorder-local starts one`
          : `${missing} at ${this.baseUrl}`;
      throw new UnexpectedResponseError(message, { status: 404, correlationId: error.correlationId });
    }
  }
}

/** The text of a stream; undefined where it is longer than a short answer, or does not come whole. */
async function readSome(stream: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<string | undefined> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  const late = () => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', late);
  try {
    for (let text = '', bytes = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) return signal.aborted ? undefined : text + decoder.decode();
      bytes += value.byteLength;
      if (bytes > MAX_HEALTH_BYTES) return void late();
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return undefined;
  } finally {
    signal.removeEventListener('abort', late);
  }
}
