import { AsyncLocalStorage } from 'node:async_hooks';
import { v4 as uuidv4 } from 'uuid';
import type { FlushResult } from '../delivery/flush-tracker.js';
import type { Loss, LossReason } from '../delivery/loss.js';
import { Relay } from '../delivery/relay.js';
import { type DeliveryStats, NO_STATS } from '../delivery/stats.js';
import { type Logger, safeLogger } from '../internal/logger.js';
import { within } from '../internal/promises.js';
import { WarnOnce } from '../internal/warn-once.js';
import { DeadLetters } from './dead-letters.js';
import { type Identity, knownIdentity, mergeIdentities, type Resolution, resolve } from './identity.js';
import { Intake } from './intake.js';
import { KeepAlive, undeliveredInTime } from './keep-alive.js';
import { OpenTurns } from './open-turns.js';
import { type RecorderOptions, type RecorderSettings, readOptions } from './options.js';
import { adviceOnSignals } from './process-hooks/framework-advice.js';
import { ProcessHooks } from './process-hooks/process-hooks.js';
import { SHUTDOWN_MS } from './process-hooks/signals.js';
import { Turn } from './turn.js';
import type { TurnOptions } from './turn-options.js';

const FLUSH_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 5_000;
const EXIT_TIMEOUT_MS = 5_000;
const CLOSE_GRACE_MS = 1_000;
// Workers wait for 30 seconds after the answer.
const KEEP_ALIVE_TIMEOUT_MS = 25_000;

const NOTHING: FlushResult = { delivered: 0, pending: 0, deadLettered: 0 };

/** The counters of a recorder: what became of every message. */
export interface RecorderStats extends DeliveryStats {
  /** Messages that were lost before they were accepted, by reason. */
  refused: Partial<Record<LossReason, number>>;
  /** Answers that failed or were stopped before their first word: no message, unless `emptyAnswers` says otherwise. */
  emptyAnswers: number;
}

/** What {@link Recorder.turn} takes beside the identity: for those who write an adapter. */
export interface OpenTurnOptions extends TurnOptions {
  /** Identities that are farther than the ambient one, the nearest first: those of wrappers and handlers. */
  fallback?: Identity | readonly (Identity | undefined)[] | undefined;
  /** `false` where the ambient identity may be somebody else's, as in a background queue. Default `true`. */
  ambient?: boolean | undefined;
}

/**
 * The one object an app holds. It takes messages, has them redacted, and sees to their delivery; no method of it throws
 * or rejects because of what it records or where it sends.
 *
 * @example
 * ```ts
 * const recorder = createRecorder({ apiKey: process.env.SYNAP_API_KEY, userId: 'ada' });
 * // … wrap the AI SDK, add the LangChain handler, or use recorder.turn() …
 * await recorder.close();
 * ```
 */
export class Recorder {
  /** What Synap has refused for good, or not clearly answered for too long. */
  readonly deadLetters: DeadLetters;
  readonly #settings: RecorderSettings;
  readonly #logger: Logger;
  readonly #warnOnce: WarnOnce;
  readonly #relay: Relay | undefined;
  readonly #ambient = new AsyncLocalStorage<Identity>();
  readonly #intake: Intake;
  readonly #open: OpenTurns;
  readonly #processHooks: ProcessHooks | undefined;
  #closing: Promise<FlushResult> | undefined;
  #wasUndelivered = false;

  constructor(options: RecorderOptions = {}) {
    this.#settings = readOptions(options);
    const { client, outbox, rateLimit, batch, maxInFlight, retry, enabled, onLoss, waitUntil } = this.#settings;
    const logger = safeLogger(options.logger);
    this.#logger = logger;
    const warnOnce = WarnOnce.of(this, logger);
    this.#warnOnce = warnOnce;
    const report = (loss: Loss) => this.#warnOnce.guard('onLoss', () => onLoss?.(loss));
    if (enabled && client)
      this.#relay = new Relay({ client, outbox, rateLimit, batch, maxInFlight, retry, logger, onLoss: report });
    this.#intake = new Intake({ settings: this.#settings, relay: this.#relay, warnOnce, report });
    this.deadLetters = new DeadLetters(this.#settings.outbox, () => this.#relay?.wake());
    if (!this.#relay) {
      this.#open = new OpenTurns([]);
      return;
    }
    const signals = this.#settings.closeOnSignals;
    this.#processHooks = new ProcessHooks(this.#endings, signals);
    const keepAlive = new KeepAlive(waitUntil, () => this.#flushForPlatform(), warnOnce);
    this.#open = new OpenTurns([this.#processHooks, keepAlive]);
    const advice = signals.length > 0 && !waitUntil ? adviceOnSignals() : undefined;
    if (advice) logger.warn(advice);
  }

  /** Whether anything is recorded at all: `enabled` was not `false`. After close(), messages are counted as losses. */
  get enabled(): boolean {
    return this.#relay !== undefined;
  }

  /**
   * Opens a turn, for a framework without an adapter. Identity comes from the nearest of: the one passed here, the ambient
   * one ({@link withIdentity}), the recorder's defaults.
   */
  turn(identity?: Identity, options: OpenTurnOptions = {}): Turn {
    const resolution = this.#resolve(() => this.#merge(identity, options));
    const { resolved } = resolution;
    const conversationId = typeof resolved === 'string' ? undefined : resolved.conversationId;
    return new Turn(this.#intake.open(resolution), { conversationId, observer: this.#open }, options);
  }

  /** The identity that a turn opened here and now would have, of all layers together. What names nobody is left out. */
  identify(identity?: Identity, options: Omit<OpenTurnOptions, keyof TurnOptions> = {}): Identity {
    return knownIdentity(this.#merge(identity, options));
  }

  #merge(identity: Identity | undefined, { fallback, ambient = true }: OpenTurnOptions): Identity {
    const { conversationScope, defaults } = this.#settings;
    const around = ambient ? this.#ambient.getStore() : undefined;
    return mergeIdentities([identity, around, ...[fallback].flat(), defaults], conversationScope);
  }

  /**
   * The UUID of the conversation that a turn opened here and now would be recorded in: a fresh one when none is named;
   * undefined when the identity does not allow recording.
   */
  resolveConversationId(identity?: Identity): string | undefined {
    const { resolved, unknown } = this.#resolve(() => this.#merge(identity, {}));
    this.#intake.warnOfUnknown(unknown);
    return typeof resolved === 'string' ? undefined : resolved.conversationId;
  }

  /** An identity with a fresh conversation UUID: keep it for as long as the chat lasts. */
  newConversation(identity: Omit<Identity, 'conversationId'> = {}): Identity & { conversationId: string } {
    let named: Identity = {};
    try {
      named = { ...identity, ...mergeIdentities([identity], this.#settings.conversationScope) };
    } catch {
      // Whoever it is, it is not the user of a farther layer.
      named = { userId: String(undefined) };
    }
    return { ...named, conversationId: uuidv4() };
  }

  /**
   * Runs `fn` with an ambient identity: turns that are opened inside it, however deep and however asynchronous, are
   * recorded under it, unless they have one of their own.
   *
   * @example
   * ```ts
   * app.post('/chat', (req, res) =>
   *   recorder.withIdentity({ userId: req.user.id, conversationId: req.body.chatId }, () => answer(req, res)),
   * );
   * ```
   */
  withIdentity<T>(identity: Identity, fn: () => T): T {
    const outer = this.#ambient.getStore();
    let ambient = identity;
    try {
      ambient = mergeIdentities([identity, outer], this.#settings.conversationScope);
    } catch {
      // It can't be read: each turn inside finds that out again, and counts as one without a user.
    }
    return this.#ambient.run(ambient, fn);
  }

  /** An identity that can't be read is nobody's: to fall back to a farther one would be a guess. */
  #resolve(merge: () => Identity): Resolution {
    try {
      return resolve(merge(), this.#settings.conversationScope, this.#settings.tenancy);
    } catch {
      return { resolved: 'missing_user_id', unknown: {} };
    }
  }

  /**
   * Sends what waits, and waits for it.
   *
   * @param options.timeoutMs how long at most, in milliseconds. Default 10,000.
   * @returns what became of the messages accepted before this call; `pending` ones are still on their way
   */
  async flush({ timeoutMs = FLUSH_TIMEOUT_MS }: { timeoutMs?: number | undefined } = {}): Promise<FlushResult> {
    if (!this.#relay) return NOTHING;
    const result = await this.#relay.flush(timeoutMs, this.#intake.done());
    return { ...result, pending: result.pending + this.#intake.waiting };
  }

  /**
   * Ends the turns that are still open as `abandoned`, flushes, then lets go of everything. Messages of later turns are
   * counted as losses. With the memory outbox, what is not delivered by then is lost, and reported as such: `shutdown`, or,
   * where Synap may have it, `maybe_lost`.
   *
   * @param options.timeoutMs how long at most, in milliseconds. Default 5,000.
   */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: { timeoutMs?: number | undefined } = {}): Promise<FlushResult> {
    this.#open.close();
    this.#intake.close();
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * The counters. `accepted` = `delivered` + `pending` + `held` + `inFlight` + `deadLettered` + `expired` +
   * `lostAtShutdown` + `maybeLost`. Those of a durable outbox are of its file: of all processes, since it was made.
   */
  stats(): RecorderStats {
    const { pendingBytes: _, ...none } = NO_STATS;
    return {
      ...(this.#relay?.stats() ?? none),
      refused: { ...this.#intake.refused },
      emptyAnswers: this.#intake.emptyAnswers,
    };
  }

  async #close(timeoutMs: number): Promise<FlushResult> {
    const result = (await this.#relay?.close(timeoutMs, this.#intake.done())) ?? NOTHING;
    // Until now, a process.exit() would have had something to report.
    this.#processHooks?.forget();
    this.#intake.giveUp();
    await this.#settings.closeClient().catch(() => {});
    return result;
  }

  /** What the process does with this recorder when it ends. */
  readonly #endings = {
    flush: () => this.#flushAtExit(),
    drain: (ends: boolean) => (ends ? this.#closeInTime() : this.#drainBesideApp()),
    exit: () => this.#exit(),
  };

  #exit(): void {
    this.#open.abandonAll();
    this.#relay?.exit();
    this.#intake.giveUp();
  }

  /** A close that is under way may have been called with more time than there is now. */
  async #closeInTime(): Promise<void> {
    this.#relay?.skipBackoff(SHUTDOWN_MS);
    const closed = this.close({ timeoutMs: EXIT_TIMEOUT_MS });
    await within(EXIT_TIMEOUT_MS + CLOSE_GRACE_MS, closed).catch(() => this.#exit());
  }

  /** The app is shutting down, too: what it still answers until it ends is not paced either. */
  async #drainBesideApp(): Promise<void> {
    this.#relay?.skipBackoff(SHUTDOWN_MS);
    await this.flush({ timeoutMs: EXIT_TIMEOUT_MS });
    while (!this.#open.isEmpty) {
      await this.#open.emptied();
      await this.flush({ timeoutMs: EXIT_TIMEOUT_MS });
    }
  }

  async #flushAtExit(): Promise<void> {
    // Nothing is left that could go on with them.
    this.#open.abandonAll();
    const { pending, held, inFlight } = this.stats();
    if (pending + held + inFlight + this.#intake.waiting === 0) return;
    const { pending: left } = await this.flush({ timeoutMs: EXIT_TIMEOUT_MS });
    if (left > 0) await this.close({ timeoutMs: 0 });
  }

  async #flushForPlatform(): Promise<void> {
    const result = await this.#relay?.flush(KEEP_ALIVE_TIMEOUT_MS, this.#intake.done(), { whileUp: true });
    const pending = (result?.pending ?? 0) + this.#intake.waiting;
    if (pending > 0 && !this.#wasUndelivered)
      this.#logger.warn(undeliveredInTime(pending, this.#settings.outbox.durable));
    this.#wasUndelivered = pending > 0;
  }
}

/**
 * Makes a recorder.
 *
 * @throws {@link InvalidInputError} an option is wrong; `field` names it
 * @throws {@link AuthenticationError} there is no API key: pass `apiKey`, set `SYNAP_API_KEY`, or set `enabled: false`
 * @example
 * ```ts
 * const recorder = createRecorder({ conversationScope: 'user', metadata: { app: 'support' } });
 * ```
 */
export function createRecorder(options: RecorderOptions = {}): Recorder {
  return new Recorder(options);
}
