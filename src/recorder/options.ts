import * as z from 'zod/v4';
import type { RelayAccount } from '../delivery/account.js';
import type { Backlog } from '../delivery/backlog.js';
import type { BackoffOptions } from '../delivery/backoff.js';
import type { GiveUpOptions } from '../delivery/decide.js';
import type { Loss } from '../delivery/loss.js';
import type { Delivered } from '../delivery/receipts.js';
import { env, warn } from '../internal/env.js';
import { property } from '../internal/guards.js';
import type { Logger } from '../internal/logger.js';
import { checkOutbox } from '../outbox/check-outbox.js';
import { memoryOutbox } from '../outbox/memory-outbox.js';
import type { MaybePromise, Outbox } from '../outbox/outbox.js';
import { type RecordingClient, SynapClient, type SynapClientOptions } from '../synap/client.js';
import { InvalidInputError } from '../synap/errors.js';
import type { RecordMessageInput } from '../synap/messages.js';
import { accountOf, checkAccount } from './account.js';
import type { ConversationScope, Identity } from './identity.js';
import type { WaitUntil } from './keep-alive.js';
import type { OpenTelemetryApi } from './trace-id.js';

/** What {@link createRecorder} takes. Everything has a default; the API key comes from `SYNAP_API_KEY`. */
export interface RecorderOptions extends Identity, SynapClientOptions {
  /** A client of your own, instead of `apiKey`, `baseUrl` and the other client options. The recorder won't close it. */
  client?: RecordingClient | undefined;
  /**
   * Names the account that messages are recorded for: in a durable outbox it keeps them from being sent under another's key.
   * Default: that of the key. Needed with a durable outbox and an `apiKey` that is a function. 1 to 200 characters.
   */
  account?: string | undefined;
  /** Who shares a conversation id that is no UUID. Default `user`. */
  conversationScope?: ConversationScope | undefined;
  /** Tags on every message. */
  metadata?: Record<string, unknown> | undefined;
  /** Where messages wait until Synap has them. Default `memoryOutbox()`. */
  outbox?: Outbox | undefined;
  /**
   * Sees every message before it is queued, and returns what may be recorded; `null` records nothing. If it throws,
   * returns anything else or takes longer than `redactTimeoutMs`, the message is not recorded and counted as a loss. Of the
   * same message it must always make the same: message keys hash what it returns.
   */
  redact?: ((message: RecordMessageInput) => MaybePromise<RecordMessageInput | null>) | undefined;
  /**
   * How long `redact` may take for a message, in milliseconds; then the message is counted as a loss (`redact_failed`), and its
   * conversation goes on. Default 5,000.
   */
  redactTimeoutMs?: number | undefined;
  /**
   * What stands for an answer that failed or was stopped before its first word: nothing (`skip`, the user's message stands
   * alone), or a message `[no answer]` with its status and error (`placeholder`). Either way `stats().emptyAnswers`
   * counts it. Default `skip`.
   */
  emptyAnswers?: 'skip' | 'placeholder' | undefined;
  /** Is called with each message that will never arrive. */
  onLoss?: ((loss: Loss) => void) | undefined;
  /**
   * Is called with each message that Synap has, once: which record is this answer, for votes on it and links to it. It is called
   * in the process that delivers the message, which need not be the one that recorded it.
   */
  onDelivered?: ((delivered: Delivered) => void) | undefined;
  /**
   * Is called when more waits for delivery than should, with the warning that is logged: more arrives than the rate limit lets go,
   * or the outbox is half full, or 90 % full. Once, and again only after it was over.
   */
  onBacklog?: ((backlog: Backlog) => void) | undefined;
  /** Default: warnings and errors go to the console. `false` is silent. */
  logger?: Logger | false | undefined;
  /**
   * Serverless: is given a promise with each turn, which resolves when the turn has ended and is delivered (`after`,
   * `ctx.waitUntil`). On Vercel it is found by itself.
   */
  waitUntil?: WaitUntil | undefined;
  /**
   * Signals on which what waits is delivered, for 5 seconds at most: `true` for SIGTERM and SIGINT. The process then ends by
   * the signal or exit code that it would have ended by without a recorder. Where the app listens to the signal itself,
   * ending the process stays its business (signal-exit and copies of this package don't count). Where a framework calls
   * `process.exit()` soon after a signal, as Next.js and Nitro do, write its own line instead: see the table of
   * docs/how-your-framework-ends.md.
   * Default `false`: an app that handles signals calls `recorder.close()`.
   */
  closeOnSignals?: boolean | readonly NodeJS.Signals[] | undefined;
  /**
   * `false` records nothing, and needs no key. Default `true`. The variable `SYNAP_RECORDING=off` of the environment does the
   * same, whatever stands here.
   */
  enabled?: boolean | undefined;
  /**
   * The app's `@opentelemetry/api`: messages say which trace they belong to (`trace_id`), that of the span that is active where
   * their turn is opened, and metrics count what becomes of messages. Default: what the app has registered with it; `false` for
   * neither.
   */
  openTelemetry?: OpenTelemetryApi | false | undefined;
  /** How fast requests may follow one another. Default 48 a minute with a burst of 8; `false` for no limit. */
  rateLimit?: { requestsPerMinute?: number | undefined; burst?: number | undefined } | false | undefined;
  /** A batch goes at 50 messages, at 256 KiB, or 2,000 ms after its first message. */
  batch?:
    | { maxMessages?: number | undefined; maxBytes?: number | undefined; lingerMs?: number | undefined }
    | undefined;
  /** Batches under way at once, 1 to 8; never two with messages of the same conversation. Default 1. */
  maxInFlight?: number | undefined;
  /** How a message is sent again. */
  retry?:
    | {
        /**
         * The n-th wait is a random time up to `min(maxMs, baseMs · 2ⁿ)` ms. Defaults 1,000 and 60,000. From the fifth
         * request in a row that got no answer at all on, it doubles beyond `maxMs`, up to 5 minutes.
         */
        baseMs?: number | undefined;
        maxMs?: number | undefined;
        /**
         * After so many ms, and 8 attempts, a message without a clear answer is given up. Default 15 minutes in memory,
         * 24 hours in a durable outbox.
         */
        maxAgeMs?: number | undefined;
        /**
         * What to do where nobody knows whether Synap has stored a message: `resend` it under the same key (it may be
         * there twice then), or make it a `dead-letter` (it may be missing). Default `resend`.
         */
        ifUnknown?: 'resend' | 'dead-letter' | undefined;
      }
    | undefined;
}

const QUARTER_HOUR = 15 * 60_000;
const DAY = 24 * 60 * 60_000;
const MAX_ATTEMPTS = 8;
export const REDACT_TIMEOUT_MS = 5000;

const positive = z.number().positive();
const atLeastOne = z.int().min(1);
const optionalFunction = z.custom(value => typeof value === 'function', 'must be a function').optional();

const schema = z.object({
  account: z
    .string()
    .regex(/^[^\p{Cc}]{1,200}$/u, 'must be 1 to 200 characters, without control characters')
    .optional(),
  conversationScope: z.enum(['user', 'customer', 'app']).default('user'),
  metadata: z.record(z.string(), z.unknown()).optional(),
  redact: optionalFunction,
  redactTimeoutMs: positive.default(REDACT_TIMEOUT_MS),
  emptyAnswers: z.enum(['skip', 'placeholder']).default('skip'),
  onLoss: optionalFunction,
  onDelivered: optionalFunction,
  onBacklog: optionalFunction,
  waitUntil: optionalFunction,
  closeOnSignals: z
    .union([z.boolean(), z.array(z.string().regex(/^SIG[A-Z0-9]+$/, 'must be the name of a signal'))])
    .default(false)
    .transform(signals => (Array.isArray(signals) ? signals : signals ? ['SIGTERM', 'SIGINT'] : [])),
  enabled: z.boolean().default(true),
  openTelemetry: z
    .custom(
      value => value === false || typeof property(property(value, 'trace'), 'getActiveSpan') === 'function',
      'must be the module @opentelemetry/api, or false: import * as openTelemetry from "@opentelemetry/api"',
    )
    .optional(),
  rateLimit: z
    .union([z.literal(false), z.object({ requestsPerMinute: positive.default(48), burst: atLeastOne.default(8) })])
    .default({ requestsPerMinute: 48, burst: 8 }),
  batch: z
    .object({
      maxMessages: atLeastOne.default(50),
      maxBytes: atLeastOne.default(262_144),
      lingerMs: z.number().min(0).default(2000),
    })
    .prefault({}),
  maxInFlight: z.int().min(1).max(8).default(1),
  retry: z
    .object({
      baseMs: positive.default(1000),
      maxMs: positive.default(60_000),
      maxAgeMs: positive.optional(),
      ifUnknown: z.enum(['resend', 'dead-letter']).default('resend'),
    })
    .prefault({}),
});

/** The options, checked, with their defaults. */
export interface RecorderSettings extends Omit<z.output<typeof schema>, 'account' | 'retry' | 'closeOnSignals'> {
  readonly defaults: Identity;
  readonly client: RecordingClient | undefined;
  /** Closes the client that was made here, not one of the app's own. */
  closeClient(): Promise<void>;
  readonly outbox: Outbox;
  /** Whose messages are recorded. Undefined when nothing is. */
  readonly account: RelayAccount | undefined;
  readonly retry: BackoffOptions & GiveUpOptions;
  readonly redact: RecorderOptions['redact'];
  readonly openTelemetry: RecorderOptions['openTelemetry'];
  readonly onLoss: RecorderOptions['onLoss'];
  readonly onDelivered: RecorderOptions['onDelivered'];
  readonly onBacklog: RecorderOptions['onBacklog'];
  readonly waitUntil: WaitUntil | undefined;
  readonly closeOnSignals: readonly NodeJS.Signals[];
  readonly tenancy: RecorderOptions['tenancy'];
  /** What no text that is recorded or logged may hold. */
  readonly secrets: readonly (string | undefined)[];
}

/**
 * Checks the options once, here at the edge.
 *
 * @throws {@link InvalidInputError} an option is wrong; `field` names it
 * @throws {@link AuthenticationError} there is no API key, and no client, and `enabled` is not `false`
 */
export function readOptions(options: RecorderOptions): RecorderSettings {
  const parsed = schema.safeParse(options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join('.') || 'options';
    throw new InvalidInputError(`createRecorder: ${field}: ${issue?.message ?? 'is wrong'}`, { field });
  }
  const { userId, customerId, sessionId, conversationId, redact, onLoss, onDelivered, onBacklog, waitUntil } = options;
  const { openTelemetry } = options;
  const enabled = parsed.data.enabled && !isSwitchedOff(options.logger);
  const outbox = options.outbox ?? memoryOutbox();
  checkOutbox(outbox);
  if (enabled) checkAccount(options, outbox);
  const made = options.client || !enabled ? undefined : new SynapClient(options);
  const client = options.client ?? made;
  return {
    ...parsed.data,
    enabled,
    defaults: { userId, customerId, sessionId, conversationId },
    client,
    account: client && accountOf(options, client),
    closeClient: async () => made?.close(),
    outbox,
    retry: {
      ...parsed.data.retry,
      maxAgeMs: parsed.data.retry.maxAgeMs ?? (outbox.durable ? DAY : QUARTER_HOUR),
      maxAttempts: MAX_ATTEMPTS,
    },
    redact,
    openTelemetry,
    onLoss,
    onDelivered,
    onBacklog,
    waitUntil,
    tenancy: options.tenancy,
    secrets: [typeof options.apiKey === 'string' ? options.apiKey.trim() : undefined, env('SYNAP_API_KEY')],
    closeOnSignals: parsed.data.closeOnSignals as NodeJS.Signals[],
  };
}

/** Whether the environment switches recording off. What can't be understood switches nothing off. */
function isSwitchedOff(logger: RecorderOptions['logger']): boolean {
  const value = env('SYNAP_RECORDING')?.toLowerCase();
  if (value === undefined || value === 'on') return false;
  if (value === 'off') return true;
  warn(logger, `SYNAP_RECORDING must be "off" or "on"; it is something else, so recording stays on`);
  return false;
}
