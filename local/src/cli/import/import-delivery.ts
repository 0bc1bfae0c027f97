import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Logger,
  type Loss,
  type RecordingApi,
  type RecordingClient,
  type Settlement,
  SynapError,
  type Tenancy,
} from 'synap-recorder';
import { isAboutAccount, type RateLimitOptions, Relay } from 'synap-recorder/delivery';
import { withoutResolvedCustomer } from '../../tenancy.js';
import type { ImportState } from './import-state.js';
import type { KeyedMessage } from './messages.js';
import { notedOutbox } from './noted-outbox.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const KiB = 1024;
const MiB = 1024 * KiB;

/** What waits at most: some batches ahead of the one under way. Reading goes on when there is room. */
const MAX_WAITING = 1000;
const MAX_WAITING_BYTES = 16 * MiB;

/** After so long without a clear answer, and eight attempts, an import ends: to go on would tear a hole. */
const MAX_AGE_MS = 5 * MINUTE;
/** How long what is under way may take to end when an import is interrupted. */
const STOP_MS = 5 * SECOND;

export interface ImportDeliveryOptions {
  readonly client: RecordingClient;
  /** Of the instance that is imported into, as far as it says. */
  readonly tenancy?: Tenancy | undefined;
  readonly state: ImportState;
  readonly rateLimit: RateLimitOptions | false;
  readonly ifUnknown: 'resend' | 'dead-letter';
  readonly logger: Logger;
  /** A message that Synap will not take. */
  refused(place: string, reason: string): void;
}

/** What became of a message that was put: it goes, it has arrived before, or it stands in the input twice. */
export type PutOutcome = 'queued' | 'delivered before' | 'repeated';

/**
 * Delivers the messages of an import as the recorder does: in batches, paced, sent again where that helps, in order
 * within each conversation. Ends when Synap refuses the key or the account, or gives no clear answer for too long.
 */
export class ImportDelivery {
  /** Messages that Synap has taken, and that it has refused. */
  delivered = 0;
  refused = 0;
  readonly #options: ImportDeliveryOptions;
  readonly #relay: Relay;
  readonly #outbox: ReturnType<typeof notedOutbox>;
  readonly #places = new Map<string, string>();
  // The relay's timers don't hold the process; an import does.
  readonly #hold = setInterval(() => {}, MINUTE);
  #wake: () => void = () => {};
  #stopped = false;
  #failure: Error | undefined;

  constructor(options: ImportDeliveryOptions) {
    this.#options = options;
    this.#outbox = notedOutbox({
      state: options.state,
      stopped: () => this.#stopped,
      settled: settlements => this.#settled(settlements),
    });
    this.#relay = new Relay({
      client: { conversation: watched(options.client.conversation, error => this.#fail(error)) },
      outbox: this.#outbox,
      rateLimit: options.rateLimit,
      batch: { maxMessages: 50, maxBytes: 256 * KiB, lingerMs: 20 },
      maxInFlight: 4,
      retry: { baseMs: SECOND, maxMs: 30 * SECOND, maxAgeMs: MAX_AGE_MS, maxAttempts: 8, ifUnknown: options.ifUnknown },
      logger: { ...options.logger, warn: text => this.#failure ?? options.logger.warn(text) },
      onLoss: loss => this.#lost(loss),
    });
  }

  /** Messages that are on their way. */
  get waiting(): number {
    const { pending, inFlight } = this.#outbox.stats();
    return pending + inFlight;
  }

  /** Delivered once more, perhaps, because an earlier attempt got no answer. */
  get possibleDuplicates(): number {
    return this.#relay.stats().possibleDuplicates;
  }

  /**
   * Takes a message, when there is room for it.
   *
   * @param place where it stands in the input, for what may have to be said about it
   * @throws Error the import can't go on
   */
  async put({ key, message, bytes }: KeyedMessage, place: string): Promise<PutOutcome> {
    const progress = this.#options.state.progressOf(key);
    if (progress === 'delivered') return 'delivered before';
    await this.#room();
    const sent = this.#options.tenancy === 'b2c' ? withoutResolvedCustomer(message) : message;
    const entry = { key, message: sent, bytes, acceptedAt: Date.now(), attempts: 0, maybeStored: progress === 'maybe' };
    if ((await this.#relay.put(entry, { admitted: true })) !== 'accepted') return 'repeated';
    this.#places.set(key, place);
    return 'queued';
  }

  /** Resolves when everything that was put has arrived or was refused. */
  async finish(): Promise<void> {
    while (this.waiting > 0 && !this.#stopped) await this.#settlement();
    if (this.#failure) throw this.#failure;
  }

  /** Sends nothing more: who waits for {@link put} or {@link finish} waits no longer. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Lets what is under way end, and sends nothing more. */
  async close(): Promise<void> {
    this.stop();
    for (const deadline = Date.now() + STOP_MS; this.#outbox.stats().inFlight > 0 && Date.now() < deadline; )
      await sleep(20);
    clearInterval(this.#hold);
    await this.#relay.close(0);
  }

  async #room(): Promise<void> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const { pendingBytes } = this.#outbox.stats();
      if (this.#stopped || (this.waiting < MAX_WAITING && pendingBytes < MAX_WAITING_BYTES)) return;
      await this.#settlement();
    }
  }

  #settlement(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve;
    });
  }

  #settled(settlements: readonly Settlement[]): void {
    for (const { key, to } of settlements) {
      if (to !== 'delivered') continue;
      this.delivered++;
      this.#places.delete(key);
    }
    this.#wake();
  }

  #lost({ reason, messageKey = '', error }: Loss): void {
    if (reason === 'shutdown' || reason === 'maybe_lost') return;
    const place = this.#places.get(messageKey) ?? 'a message';
    this.#places.delete(messageKey);
    this.refused++;
    const why = SynapError.is(error) ? error.message : reason;
    this.#options.refused(place, reason === 'unknown_outcome' ? 'was sent, and may or may not be stored' : why);
    if (reason === 'expired')
      this.#fail(new Error(`Synap has given no clear answer for ${MAX_AGE_MS / MINUTE} minutes: ${why}`));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#stopped = true;
    this.#wake();
  }
}

/** Calls back for errors that every message would meet: of the key, the credits, the address. */
function watched(
  { recordMessage, recordMessagesBatch }: RecordingApi,
  onAccountError: (error: SynapError) => void,
): RecordingApi {
  const listen = <T>(call: Promise<T>) =>
    call.catch(error => {
      if (isAboutAccount(error)) onAccountError(error);
      throw error;
    });
  return {
    recordMessage: (message, options) => listen(recordMessage(message, options)),
    recordMessagesBatch: (messages, options) => listen(recordMessagesBatch(messages, options)),
  };
}
