import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { NetworkError, SynapClient, SynapError, UnexpectedResponseError } from 'synap-recorder';
import { env } from 'synap-recorder/cli';
import { errorFromResponse, scrubber } from 'synap-recorder/wire';
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

/** Reads from a Synap over HTTP. Errors are {@link SynapError}s, and hold no key. */
export class Connection {
  readonly baseUrl: string;
  readonly #apiKey: string;

  /** @throws {@link SynapError} the key is missing, or the key or the address is malformed */
  constructor({ baseUrl, apiKey }: ConnectionFlags) {
    // The client checks both, and opens no connection before its first call.
    this.baseUrl = new SynapClient({ baseUrl, apiKey, logger: false }).baseUrl;
    this.#apiKey = (apiKey ?? env('SYNAP_API_KEY') ?? '').trim();
  }

  /**
   * An answer with a status of success, its body unread.
   *
   * @throws {@link SynapError} by the status Synap answers
   * @throws {@link NetworkError} Synap can't be reached
   */
  async get(
    path: string,
    { headers, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<Response> {
    const correlationId = randomUUID();
    try {
      const response = await fetch(this.baseUrl + path, {
        headers: {
          authorization: `Bearer ${this.#apiKey}`,
          'user-agent': `synap-recorder-local/${VERSION}`,
          'x-correlation-id': correlationId,
          ...headers,
        },
        redirect: 'manual',
        ...(signal && { signal }),
      });
      if (response.ok) return response;
      const header = (name: string) => response.headers.get(name) ?? undefined;
      const answer = { status: response.status, header, body: await response.text() };
      throw errorFromResponse(answer, correlationId, scrubber(this.#apiKey, []));
    } catch (error) {
      throw asSynapError(error);
    }
  }

  /**
   * Whether anybody is there.
   *
   * @throws {@link NetworkError} nobody answers
   */
  async reach(): Promise<void> {
    try {
      await (await this.get('/health', { signal: AbortSignal.timeout(REACH_MS) })).arrayBuffer();
    } catch (error) {
      if (NetworkError.is(error)) throw error;
    }
  }

  /** As {@link get}, for a route that only a local Synap has. */
  async getLocal(path: string, options: { headers?: Record<string, string>; signal?: AbortSignal } = {}) {
    try {
      return await this.get(path, options);
    } catch (error) {
      if (!UnexpectedResponseError.is(error) || error.status !== 404) throw error;
      const [missing] = /There is no conversation with the id [0-9a-f-]+/.exec(error.message) ?? [];
      const route = path.replace(/\?.*/, '');
      const message =
        missing === undefined
          ? `${this.baseUrl} has no ${route}: only a local Synap can be read back. npx synap-recorder-local starts one`
          : `${missing} at ${this.baseUrl}`;
      throw new UnexpectedResponseError(message, { status: 404, correlationId: error.correlationId });
    }
  }
}

/** An error of `fetch`, or of reading its body, in the words of this package. */
export function asSynapError(error: unknown): SynapError {
  if (SynapError.is(error)) return error;
  const { cause } = error as { cause?: { code?: unknown; message?: unknown } };
  const code = [cause?.code, cause?.message].find(text => typeof text === 'string') ?? 'the connection broke';
  return new NetworkError(`Could not reach Synap (${code})`, { sent: 'unknown', cause: error });
}
