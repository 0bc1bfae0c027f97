import type { Command } from 'commander';
import { NetworkError, UnexpectedResponseError } from 'synap-recorder';
import {
  deadlineIn,
  type StreamedResponse,
  SynapEndpoint,
  type SynapRequest,
  streamTransport,
} from 'synap-recorder/wire';
import { VERSION } from '../version.js';

const REACH_MS = 10_000;

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
   * Whether anybody is there.
   *
   * @throws {@link NetworkError} nobody answers
   */
  async reach(): Promise<void> {
    try {
      const { stream } = await this.get('/health', { deadline: deadlineIn(REACH_MS) });
      await stream?.cancel();
    } catch (error) {
      if (NetworkError.is(error)) throw error;
    }
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
