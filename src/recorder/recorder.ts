import type { FlushResult } from '../delivery/flush-tracker.js';
import type { Loss } from '../delivery/loss.js';
import { Receipts } from '../delivery/receipts.js';
import { Relay } from '../delivery/relay.js';
import { NO_STATS } from '../delivery/stats.js';
import { property } from '../internal/guards.js';
import { type Logger, safeLogger } from '../internal/logger.js';
import { within } from '../internal/promises.js';
import { WarnOnce } from '../internal/warn-once.js';
import type { OutboxEntry } from '../outbox/outbox.js';
import { Ambient, type AmbientIdentity, type FartherIdentities } from './ambient.js';
import { DeadLetters } from './dead-letters.js';
import { type Identity, knownIdentity } from './identity.js';
import { Intake } from './intake.js';
import { KeepAlive, undeliveredInTime } from './keep-alive.js';
import { OpenTurns } from './open-turns.js';
import { type RecorderOptions, type RecorderSettings, readOptions } from './options.js';
import { adviceOnSignals } from './process-hooks/framework-advice.js';
import { ProcessHooks } from './process-hooks/process-hooks.js';
import { SHUTDOWN_MS } from './process-hooks/signals.js';
import { RecorderEvents } from './recorder-events.js';
import type { RecorderStats } from './recorder-stats.js';
import { activeTraceId } from './trace-id.js';
import { Turn } from './turn.js';
import type { TurnSink } from './turn-message.js';
import type { TurnOptions } from './turn-options.js';

const FLUSH_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 5_000;
const EXIT_TIMEOUT_MS = 5_000;
const CLOSE_GRACE_MS = 1_000;
// Workers wait for 30 seconds after the answer.
const KEEP_ALIVE_TIMEOUT_MS = 25_000;

/** Where the messages of a turn go that is not recorded. */
const SILENT: TurnSink = { accept: () => 'not recorded' };

const NOTHING: FlushResult = { delivered: 0, pending: 0, deadLettered: 0 };

/** What {@link Recorder.turn} takes beside the identity: for those who write an adapter. */
export interface OpenTurnOptions extends TurnOptions, FartherIdentities {}

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
  readonly #ambient: Ambient;
  readonly #intake: Intake;
  readonly #open: OpenTurns;
  readonly #processHooks: ProcessHooks | undefined;
  readonly #events: RecorderEvents | undefined;
  #closing: Promise<FlushResult> | undefined;
  #wasUndelivered = false;

  constructor(options: RecorderOptions = {}) {
    this.#settings = readOptions(options);
    this.#ambient = new Ambient(this.#settings);
    const { client, outbox, account, rateLimit, batch, maxInFlight, retry, enabled, waitUntil } = this.#settings;
    const { onLoss, onDelivered, onBacklog, openTelemetry } = this.#settings;
    const logger = safeLogger(options.logger);
    this.#logger = logger;
    const warnOnce = WarnOnce.of(this, logger);
    this.#warnOnce = warnOnce;
    const report = (loss: Loss) => {
      this.#intake.forget(loss.messageKey);
      this.#events?.lost(loss);
      this.#warnOnce.guard('onLoss', () => onLoss?.(loss));
    };
    const receipts = new Receipts(one => {
      this.#events?.delivered(one);
      if (onDelivered) this.#warnOnce.guard('onDelivered', () => onDelivered(one));
    });
    if (enabled && client) {
      this.#relay = new Relay({
        ...{ outbox, account, rateLimit, batch, maxInFlight, retry, logger },
        client: receipts.watch(client),
        onLoss: report,
        onDelivered: entry => receipts.delivered(entry),
        onBacklog: backlog => this.#warnOnce.guard('onBacklog', () => onBacklog?.(backlog)),
      });
      this.#events = new RecorderEvents(openTelemetry, this.#relay);
    }
    const accepted = (entry: OutboxEntry) => this.#events?.accepted(entry);
    this.#intake = new Intake({ settings: this.#settings, relay: this.#relay, warnOnce, report, accepted });
    this.deadLetters = new DeadLetters(outbox, account?.name, () => this.#relay?.wake());
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

  /** Whether anything is recorded at all: it is not switched off. After close(), messages are counted as losses. */
  get enabled(): boolean {
    return this.#relay !== undefined;
  }

  /** The name of the account that messages are recorded for: see the option `account`. Undefined when nothing is recorded. */
  get account(): string | undefined {
    return this.#settings.account?.name;
  }

  /** @internal Says something to the app's developer, once. */
  warnOnce(topic: string, message: string): void {
    if (this.enabled) this.#warnOnce.warn(topic, message);
  }

  /** Whether what is said here and now is recorded: not within {@link withoutRecording}. */
  get isRecording(): boolean {
    return this.enabled && !this.#ambient.isOff;
  }

  /**
   * Opens a turn, for a framework without an adapter. Identity comes from the nearest of: the one passed here, the ambient
   * one ({@link withIdentity}), the recorder's defaults.
   */
  turn(identity?: Identity, options: OpenTurnOptions = {}): Turn {
    const resolution = this.#ambient.resolve(identity, options);
    const { resolved } = resolution;
    const conversationId = typeof resolved === 'string' ? undefined : resolved.conversationId;
    const isHere = property(options, 'ambient') !== false;
    if (isHere && this.#ambient.isOff) return new Turn(SILENT, { conversationId: undefined }, options);
    const messageId = isHere ? this.#ambient.messageId(identity, options) : undefined;
    const traceId = isHere ? activeTraceId(this.#settings.openTelemetry) : undefined;
    const sink = this.#intake.open(resolution, { messageId, traceId });
    return new Turn(sink, { conversationId, observer: this.#open }, options);
  }

  /** The identity that a turn opened here and now would have, of all layers together. What names nobody is left out. */
  identify(identity?: Identity, options: FartherIdentities = {}): Identity {
    return knownIdentity(this.#ambient.merge(identity, options));
  }

  /**
   * The UUID of the conversation that a turn opened here and now would be recorded in: a fresh one when none is named;
   * undefined when the identity does not allow recording.
   */
  resolveConversationId(identity?: Identity): string | undefined {
    const { resolved, unknown } = this.#ambient.resolve(identity);
    this.#intake.warnOfUnknown(unknown);
    return typeof resolved === 'string' ? undefined : resolved.conversationId;
  }

  /** An identity with a fresh conversation UUID: keep it for as long as the chat lasts. */
  newConversation(identity: Omit<Identity, 'conversationId'> = {}): Identity & { conversationId: string } {
    return this.#ambient.newConversation(identity);
  }

  /**
   * Runs `fn` with an ambient identity: turns that are opened inside it, however deep and however asynchronous, are
   * recorded under it, unless they have one of their own.
   *
   * @param identity `messageId` is the app's own id of what the user says in it: given twice in a conversation, as by a
   *   regenerate, the message is recorded once
   * @example
   * ```ts
   * app.post('/chat', (req, res) =>
   *   recorder.withIdentity({ userId: req.user.id, conversationId: req.body.chatId }, () => answer(req, res)),
   * );
   * ```
   */
  withIdentity<T>(identity: AmbientIdentity, fn: () => T): T {
    return this.#ambient.withIdentity(identity, fn);
  }

  /**
   * Runs `fn` without recording: nothing that is said in it, however deep and however asynchronous, is a message or counts as
   * a loss. For calls that are no part of a conversation, such as a chat's title, an evaluation or a summary.
   *
   * @example
   * ```ts
   * const { text: title } = await recorder.withoutRecording(() =>
   *   generateText({ model, prompt: `A title of three words for: ${question}` }),
   * );
   * ```
   */
  withoutRecording<T>(fn: () => T): T {
    return this.#ambient.withoutRecording(fn);
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
   * `lostAtShutdown` + `maybeLost`. Those of a durable outbox are of this account in its file: of all processes, since it
   * was made.
   */
  stats(): RecorderStats {
    const { pendingBytes: _, ...none } = NO_STATS;
    return {
      ...(this.#relay?.stats() ?? none),
      refused: { ...this.#intake.refused },
      repeated: this.#intake.repeated,
      emptyAnswers: this.#intake.emptyAnswers,
    };
  }

  async #close(timeoutMs: number): Promise<FlushResult> {
    // What is left has this one chance: nothing is paced, unless Synap asks for it (429).
    if (timeoutMs > 0) this.#relay?.skipBackoff(timeoutMs);
    const result = (await this.#relay?.close(timeoutMs, this.#intake.done())) ?? NOTHING;
    // Until now, a process.exit() would have had something to report.
    this.#processHooks?.forget();
    this.#intake.giveUp();
    this.#events?.close();
    await within(CLOSE_GRACE_MS, this.#settings.closeClient()).catch(() => {});
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
    this.#relay?.skipBackoff(EXIT_TIMEOUT_MS);
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
