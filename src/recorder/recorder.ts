import { AsyncLocalStorage } from 'node:async_hooks';
import { v4 as uuidv4 } from 'uuid';
import { errorForLog } from '../delivery/deliver.js';
import { type Logger, safeLogger } from '../delivery/logger.js';
import type { Loss, LossReason } from '../delivery/loss.js';
import type { MaybePromise, PutResult } from '../delivery/outbox.js';
import { type FlushResult, Relay, type RelayBooks } from '../delivery/relay.js';
import { type RecordMessageInput, type Role, toWire } from '../synap/messages.js';
import { onBeforeExit } from './exit.js';
import {
  type Identity,
  type MissingIdentity,
  mergeIdentities,
  type ResolvedIdentity,
  resolveIdentity,
} from './identity.js';
import { tagMetadata } from './metadata.js';
import { OpenTurns } from './open-turns.js';
import { type RecorderOptions, type RecorderSettings, readOptions } from './options.js';
import { RecentKeys } from './recent-keys.js';
import { Turn, type TurnHost, type TurnMessage, type TurnOptions } from './turn.js';
import { Unanswered } from './unanswered.js';

const FLUSH_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 5_000;
const EXIT_TIMEOUT_MS = 5_000;

/** The books of a recorder: what became of every message. */
export interface RecorderStats extends RelayBooks {
  /** Messages that were lost before they were accepted, by reason. */
  refused: Partial<Record<LossReason, number>>;
}

/** What {@link Recorder.turn} may be told beside the identity: for those who write an adapter. */
export interface OpenTurnOptions extends TurnOptions {
  /** An identity that is farther than the ambient one: what a wrapper was given. */
  fallback?: Identity | undefined;
  /** `false` where the ambient identity may be somebody else's, as in a background queue. Default `true`. */
  ambient?: boolean | undefined;
}

const encoder = new TextEncoder();

interface Admission {
  readonly identity: ResolvedIdentity | MissingIdentity;
  /** Once the outbox has refused a turn for being full, it refuses all of it; once it has taken some, it takes all. */
  admitted: boolean;
  refused: boolean;
  tail: Promise<void> | undefined;
}

/**
 * The one object an app holds. It admits messages, has them redacted, and sees to their delivery; no method of it
 * throws or rejects because of what it records or where it sends.
 *
 * @example
 * ```ts
 * const recorder = createRecorder({ apiKey: process.env.SYNAP_API_KEY, userId: 'ada' });
 * // … wrap the AI SDK, add the LangChain handler, or use recorder.turn() …
 * await recorder.close();
 * ```
 */
export class Recorder {
  readonly #settings: RecorderSettings;
  readonly #logger: Logger;
  readonly #relay: Relay | undefined;
  readonly #ambient = new AsyncLocalStorage<Identity>();
  readonly #admissions = new WeakMap<Turn, Admission>();
  readonly #host: TurnHost;
  readonly #open = new OpenTurns();
  readonly #recent = new RecentKeys();
  readonly #unanswered = new Unanswered();
  readonly #refused: Partial<Record<LossReason, number>> = {};
  readonly #saidOnce = new Set<string>();
  readonly #forgetExit: () => void;
  // Where redact or the outbox takes its time, the messages of a conversation wait for one another.
  readonly #tails = new Map<string, Promise<void>>();
  #closing: Promise<FlushResult> | undefined;

  constructor(options: RecorderOptions = {}) {
    this.#settings = readOptions(options);
    this.#logger = safeLogger(options.logger);
    const { client, outbox, pace, batch, retry, enabled } = this.#settings;
    this.#relay =
      enabled && client
        ? new Relay({ client, outbox, pace, batch, retry, logger: this.#logger, onLoss: loss => this.#report(loss) })
        : undefined;
    this.#host = {
      record: message => this.#record(message),
      settled: turn => this.#admissions.get(turn)?.tail ?? Promise.resolve(),
      opened: turn => this.#open.add(turn),
      ended: turn => this.#turnEnded(turn),
      isUnanswered: (turn, content) => this.#unanswered.has(turn.conversationId, content),
      unreadable: (turn, role, error) => this.#unreadable(turn, role, error),
    };
    this.#forgetExit = this.#relay ? onBeforeExit(() => this.#flushAtExit()) : () => {};
  }

  /** Whether anything is recorded at all: `enabled` was not `false`, and the recorder is not closed. */
  get enabled(): boolean {
    return this.#relay !== undefined && this.#closing === undefined;
  }

  /**
   * Opens a turn, for a framework without an adapter. Identity comes from the nearest of: the one given here, the ambient
   * one ({@link withIdentity}), the recorder's defaults.
   */
  turn(identity?: Identity, options: OpenTurnOptions = {}): Turn {
    const { conversationScope: scope, defaults } = this.#settings;
    const ambient = options.ambient === false ? undefined : this.#ambient.getStore();
    const merged = mergeIdentities([identity, ambient, options.fallback, defaults], scope);
    const resolved = resolveIdentity(merged, scope);
    const turn = new Turn(this.#host, typeof resolved === 'string' ? undefined : resolved, options);
    this.#admissions.set(turn, { identity: resolved, admitted: false, refused: false, tail: undefined });
    return turn;
  }

  /** An identity with a fresh conversation UUID: keep it for as long as the chat lasts. */
  conversation(identity: Omit<Identity, 'conversationId'> = {}): Identity & { conversationId: string } {
    return { ...identity, conversationId: uuidv4() };
  }

  /**
   * Runs `fn` with an ambient identity: turns that are opened inside it, however deep and however asynchronous, are
   * recorded under it, unless they are given one of their own.
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
    return this.#ambient.run(mergeIdentities([identity, outer], this.#settings.conversationScope), fn);
  }

  /**
   * Sends what waits, and waits for it.
   *
   * @param options.timeoutMs how long at most, in milliseconds. Default 10,000.
   * @returns what became of the messages accepted before this call; `pending` ones are still on their way
   */
  async flush({ timeoutMs = FLUSH_TIMEOUT_MS }: { timeoutMs?: number | undefined } = {}): Promise<FlushResult> {
    if (!this.#relay) return { delivered: 0, pending: 0, deadLettered: 0 };
    const started = Date.now();
    await this.#admissionsDone(timeoutMs);
    return this.#relay.flush(Math.max(0, timeoutMs - (Date.now() - started)));
  }

  /**
   * Ends the turns that are still open as `abandoned`, flushes, then lets go of everything. Messages of later turns are counted as losses. With the memory outbox, what is
   * not delivered by then is lost, and reported as such.
   *
   * @param options.timeoutMs how long at most, in milliseconds. Default 5,000.
   */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: { timeoutMs?: number | undefined } = {}): Promise<FlushResult> {
    this.#open.abandonAll();
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The books. `accepted` = `delivered` + `pending` + `inFlight` + `deadLettered` + `expired` + `lostAtShutdown`. */
  stats(): RecorderStats {
    const none = { accepted: 0, delivered: 0, pending: 0, inFlight: 0, deadLettered: 0, expired: 0 };
    const books = this.#relay?.books() ?? { ...none, lostAtShutdown: 0, possibleDuplicates: 0 };
    return { ...books, refused: { ...this.#refused } };
  }

  async #close(timeoutMs: number): Promise<FlushResult> {
    this.#forgetExit();
    const started = Date.now();
    await this.#admissionsDone(timeoutMs);
    const left = Math.max(0, timeoutMs - (Date.now() - started));
    const result = (await this.#relay?.close(left)) ?? { delivered: 0, pending: 0, deadLettered: 0 };
    await this.#settings.closeClient().catch(() => {});
    return result;
  }

  #record(message: TurnMessage): void {
    const { turn } = message;
    const admission = this.#admissions.get(turn);
    if (!this.#relay || !admission) return;
    if (this.#closing) return this.#refuse(message, 'recorder_closed');
    const { identity } = admission;
    if (typeof identity === 'string') {
      const part = identity === 'missing_user_id' ? 'userId' : 'customerId';
      this.#warnOnce(
        identity,
        `a turn without ${part} can't be recorded: give one to the call, the wrapper or the recorder`,
      );
      return this.#refuse(message, identity);
    }
    if (identity.fresh)
      this.#warnOnce(
        'fresh',
        'a turn without conversationId is recorded as a conversation of its own: give one to the call',
      );
    if (admission.refused) return this.#refuse(message, 'outbox_full');
    if (!this.#recent.add(message.key)) return;
    this.#unanswered.note(identity.conversationId, message);

    const input = this.#input(message, identity);
    const tail = this.#tails.get(identity.conversationId);
    const done = tail
      ? tail.then(() => this.#admit(input, message, admission))
      : this.#admit(input, message, admission);
    if (!isPromise(done)) return;
    this.#tails.set(identity.conversationId, done);
    admission.tail = done;
    void done.then(() => {
      if (this.#tails.get(identity.conversationId) === done) this.#tails.delete(identity.conversationId);
    });
  }

  #input(message: TurnMessage, identity: ResolvedIdentity): RecordMessageInput {
    const drop = (name: string, reason: string) =>
      this.#warnOnce(`tag:${name}`, `the tag ${JSON.stringify(name)} is left out: it ${reason}`);
    return {
      conversationId: identity.conversationId,
      role: message.role,
      content: message.content,
      userId: identity.userId,
      customerId: identity.customerId,
      sessionId: identity.sessionId,
      metadata: {
        ...tagMetadata(this.#settings.metadata, drop),
        ...tagMetadata(message.tags, drop),
        ...message.metadata,
      },
    };
  }

  /** Redacts and puts. Answers with a promise only where one of the two does; that never rejects. */
  #admit(input: RecordMessageInput, message: TurnMessage, admission: Admission): MaybePromise<void> {
    const { redact } = this.#settings;
    let redacted: MaybePromise<RecordMessageInput | null>;
    try {
      redacted = redact ? redact(input) : input;
    } catch (error) {
      return this.#refuse(message, 'redact_failed', error);
    }
    if (!isPromise(redacted)) return this.#put(input, redacted, message, admission);
    return Promise.resolve(redacted).then(
      redacted => this.#put(input, redacted, message, admission),
      error => this.#refuse(message, 'redact_failed', error),
    );
  }

  #put(
    input: RecordMessageInput,
    redacted: RecordMessageInput | null,
    message: TurnMessage,
    admission: Admission,
  ): MaybePromise<void> {
    if (redacted === null) return this.#refuse(message, 'redacted');
    if (typeof redacted !== 'object') return this.#refuse(message, 'redact_failed');
    if (admission.refused) return this.#refuse(message, 'outbox_full');
    let bytes: number;
    // Redaction may change what a message says, and of whom; not which message it is.
    const { conversationId, role } = input;
    const kept = { ...redacted, conversationId, role, metadata: { ...redacted.metadata, message_key: message.key } };
    try {
      // What was not redacted is as this recorder made it: nothing in it can be wrong.
      bytes = encoder.encode(JSON.stringify(this.#settings.redact ? toWire(kept) : kept)).length;
    } catch (error) {
      return this.#refuse(message, 'invalid_message', error);
    }
    const entry = { key: message.key, message: kept, bytes, acceptedAt: Date.now(), attempts: 0 };
    try {
      const result = this.#relay?.put(entry, { admitted: admission.admitted });
      if (!isPromise(result)) return this.#putDone(result, message, admission);
      return Promise.resolve(result).then(
        result => this.#putDone(result, message, admission),
        error => this.#refuse(message, 'outbox_failed', error),
      );
    } catch (error) {
      return this.#refuse(message, 'outbox_failed', error);
    }
  }

  #putDone(result: PutResult | undefined, message: TurnMessage, admission: Admission): void {
    if (result === 'full') {
      admission.refused = true;
      return this.#refuse(message, 'outbox_full');
    }
    admission.admitted = true;
  }

  /** What the app handed to a turn can't be read: a text that is no string, a getter that throws. */
  #unreadable(turn: Turn, role: Role, error: unknown): void {
    const key = `${turn.id}:${role}`;
    const message = { turn, role, content: '', key, status: undefined, metadata: {}, tags: undefined };
    this.#refuse(message, 'invalid_message', error);
  }

  #refuse(message: TurnMessage, reason: LossReason, error?: unknown): void {
    this.#recent.delete(message.key);
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
    if (reason !== 'redacted' && !reason.startsWith('missing_'))
      this.#warnOnce(
        reason,
        `messages are not recorded (${reason})${error === undefined ? '' : `: ${errorForLog(error)}`}`,
      );
    this.#report({
      reason,
      role: message.role,
      conversationId: message.turn.conversationId,
      messageKey: message.key,
      error,
    });
  }

  #report(loss: Loss): void {
    try {
      this.#settings.onLoss?.(loss);
    } catch (error) {
      this.#warnOnce('onLoss', `onLoss threw: ${errorForLog(error)}`);
    }
  }

  #warnOnce(about: string, message: string): void {
    // Tags have names of the app's making: a bound keeps a bad one from filling memory.
    if (this.#saidOnce.has(about) || this.#saidOnce.size >= 1000) return;
    this.#saidOnce.add(about);
    this.#logger.warn(message);
  }

  #turnEnded(turn: Turn): void {
    this.#open.delete(turn);
    const { waitUntil } = this.#settings;
    if (!waitUntil || !this.enabled) return;
    try {
      waitUntil(this.flush());
    } catch (error) {
      this.#warnOnce('waitUntil', `waitUntil threw: ${errorForLog(error)}`);
    }
  }

  async #admissionsDone(timeoutMs: number): Promise<void> {
    if (this.#tails.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise(resolve => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([Promise.all(this.#tails.values()), late]);
    clearTimeout(timer);
  }

  async #flushAtExit(): Promise<boolean> {
    const { pending, inFlight } = this.stats();
    if (pending + inFlight + this.#tails.size === 0) return false;
    const { pending: left } = await this.flush({ timeoutMs: EXIT_TIMEOUT_MS });
    if (left > 0) await this.close({ timeoutMs: 0 });
    return true;
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

function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
