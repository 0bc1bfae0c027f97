import { AuthenticationError, NetworkError } from './errors.js';
import { type ApiKeySource, isSendable } from './settings.js';
import type { Deadline } from './transport.js';

/** How long a request waits for a key. */
export interface KeyLimits {
  readonly deadline?: Deadline | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The key that requests are sent with.
 *
 * Of a function, it is `unasked` until the first request, `asking` until the function has answered, and `known` from then on.
 * A refused key makes it `asking` again, once for all requests that wait. A function that fails leaves it as it was.
 */
export class ApiKey {
  readonly #source: (() => string | Promise<string>) | undefined;
  #known: string | undefined;
  #former: string | undefined;
  #asking: Promise<string> | undefined;

  constructor(source: ApiKeySource | undefined) {
    if (typeof source === 'function') this.#source = source;
    else this.#known = source;
  }

  get known(): string | undefined {
    return this.#known;
  }

  /** The one before, which answers that are under way may still repeat. */
  get former(): string | undefined {
    return this.#former;
  }

  /** @throws {@link AuthenticationError} the function gives none */
  async get(limits: KeyLimits): Promise<string | undefined> {
    return this.#known ?? (this.#source && before(limits, this.#ask(this.#source)));
  }

  /**
   * Another key than one that was refused; undefined where there is none.
   *
   * @throws {@link AuthenticationError} the function gives none
   */
  async otherThan(refused: string, limits: KeyLimits): Promise<string | undefined> {
    if (this.#source === undefined) return undefined;
    const isNewer = this.#asking === undefined && this.#known !== refused;
    const key = isNewer ? this.#known : await before(limits, this.#ask(this.#source));
    return key === refused ? undefined : key;
  }

  #ask(source: () => string | Promise<string>): Promise<string> {
    this.#asking ??= keyOf(source)
      .then(key => {
        if (key !== this.#known) this.#former = this.#known;
        this.#known = key;
        return key;
      })
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }
}

/** What the function gives or throws may hold a key, so no error repeats it. */
async function keyOf(source: () => string | Promise<string>): Promise<string> {
  let given: unknown;
  try {
    given = await source();
  } catch {
    throw new AuthenticationError('No Synap API key: the function that was passed as apiKey failed');
  }
  const key = typeof given === 'string' ? given.trim() : '';
  if (key === '')
    throw new AuthenticationError(
      `No Synap API key: the function that was passed as apiKey gave ${typeof given === 'string' ? 'an empty text' : 'no text'}`,
    );
  if (!isSendable(key))
    throw new AuthenticationError(
      'The function that was passed as apiKey gave a key with a space, a line break or a character outside ASCII',
    );
  return key;
}

/** The app's function may never answer: the limits of the request hold for it, too. */
function before<T>({ deadline, signal }: KeyLimits, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(
        new AuthenticationError(`The function that was passed as apiKey did not answer within ${deadline?.ms} ms`),
      );
    const aborted = () =>
      reject(new NetworkError('The call was aborted before it was sent: apiKey was still asked for', { sent: 'no' }));
    if (deadline?.signal.aborted) late();
    if (signal?.aborted) aborted();
    deadline?.signal.addEventListener('abort', late);
    signal?.addEventListener('abort', aborted);
    answer.then(resolve, reject).finally(() => {
      deadline?.signal.removeEventListener('abort', late);
      signal?.removeEventListener('abort', aborted);
    });
  });
}
