import { outsideRequests } from '../internal/async-context.js';
import type { Logger } from '../internal/logger.js';
import { isPromise, within } from '../internal/promises.js';
import { clearTimeout, setTimeout } from '../internal/timers.js';
import type { AccountStats, Outbox } from '../outbox/outbox.js';
import { errorForLog } from './error-for-log.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** How long the first messages wait for Synap to say whose the key is, where older ones may belong before them. */
const MAX_WAIT_MS = 5 * SECOND;

/** After how long Synap is asked again when it gave no answer: at first, and at most. */
const ASK_AGAIN_MS = MINUTE;
const MAX_ASK_AGAIN_MS = 60 * MINUTE;

/** Whose messages a relay delivers. */
export interface RelayAccount {
  /** The name that entries are put under. */
  readonly name: string;
  /** The address of Synap, with which the names of its accounts begin. */
  readonly address?: string | undefined;
  /**
   * Asks Synap for the account's lasting name, which a rotated key has, too; undefined if Synap does not tell. Left out where
   * the name is a lasting one.
   */
  identify?(signal: AbortSignal): Promise<string | undefined>;
}

export interface AccountHooks {
  readonly outbox: Outbox;
  readonly logger: Logger;
  /** Called when there may be more to deliver: the account has got what another name had. */
  changed(): void;
}

/**
 * The account that a relay delivers for, in an outbox that may know it by another name. A durable outbox remembers what the
 * name of a key stands for, so each key is asked about until it is known, and no more.
 *
 * ```
 *   new ──start()──► unknown ──asked──► told ──the outbox has adopted──► known
 *    │                  │  ▲              │ ▲                              ▲
 *    │                  │  └─no answer    │ └─something is in flight       │
 *    │                  └──Synap does not tell─────────────────────────────┤
 *    └──the outbox knows the name, or nothing is to be asked───────────────┘
 * ```
 * It is asked once a first message was sent. Only where the outbox holds messages of another account at the same address
 * (the key was rotated?) it is asked at once, and the first messages wait for the answer, so that they overtake nothing.
 */
export class Account {
  readonly name: string;
  readonly #options: RelayAccount;
  readonly #hooks: AccountHooks;
  readonly #closing = new AbortController();
  #state: 'new' | 'unknown' | 'asking' | 'told' | 'known' = 'new';
  #lastingName: string | undefined;
  #ready: Promise<unknown> | undefined;
  #isAdopting = false;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: RelayAccount, hooks: AccountHooks) {
    this.name = options.name;
    this.#options = options;
    this.#hooks = hooks;
  }

  /** What the first messages wait for; it never rejects. Undefined when they need not wait. */
  get ready(): Promise<unknown> | undefined {
    return this.#ready;
  }

  /** Looks up what the outbox knows. */
  start(): void {
    const { outbox } = this.#hooks;
    this.#state = this.#options.identify && outbox.durable && outbox.adopt ? 'unknown' : 'known';
    if (!outbox.accounts) return;
    try {
      const accounts = outbox.accounts();
      if (!isPromise(accounts)) this.#ready = this.#look(accounts);
      else
        this.#ready = accounts.then(
          accounts => this.#look(accounts),
          () => {},
        );
    } catch {
      // What it can't do, its other methods say.
    }
    const ready = this.#ready;
    void ready?.then(() => {
      if (this.#ready === ready) this.#ready = undefined;
    });
  }

  /** Something was sent, and nothing of it is in flight any more. */
  idle(): void {
    if (this.#state === 'unknown' && this.#retry === undefined) void this.#ask();
    else if (this.#state === 'told') void this.#adopt();
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#retry);
  }

  #look(accounts: readonly AccountStats[]): Promise<unknown> | undefined {
    if (accounts.some(({ aliases }) => aliases.includes(this.name))) this.#state = 'known';
    if (!this.#mayBeRotated(accounts)) {
      this.#tellOf(accounts);
      return undefined;
    }
    const asked = this.#ask().then(async () => this.#tellOf((await outboxAccounts(this.#hooks.outbox)) ?? []));
    return within(MAX_WAIT_MS, asked).catch(() => {});
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    this.#state = 'asking';
    try {
      const signals = [this.#closing.signal, AbortSignal.timeout(MAX_WAIT_MS)];
      this.#lastingName = await this.#options.identify?.(AbortSignal.any(signals));
      this.#state = this.#lastingName === undefined ? 'known' : 'told';
    } catch {
      this.#state = 'unknown';
      this.#retryIn(Math.min(MAX_ASK_AGAIN_MS, ASK_AGAIN_MS * 2 ** this.#failures++));
    }
    await this.#adopt();
  }

  #retryIn(ms: number): void {
    clearTimeout(this.#retry);
    if (this.#closing.signal.aborted) return;
    this.#retry = outsideRequests(() =>
      setTimeout(() => {
        this.#retry = undefined;
        this.idle();
      }, ms),
    );
    this.#retry.unref?.();
  }

  /** Lets the outbox know what this name stands for. Where that is not possible now, it is tried again. Never rejects. */
  async #adopt(): Promise<void> {
    const { outbox, logger, changed } = this.#hooks;
    const to = this.#lastingName;
    if (this.#state !== 'told' || to === undefined || this.#isAdopting || this.#closing.signal.aborted) return;
    this.#isAdopting = true;
    try {
      const moved = await outbox.adopt?.(this.name, to, { isAlias: true });
      if (moved === 'busy') return this.#retryIn(SECOND);
      this.#state = 'known';
      if (moved) logger.info(`${moved} message${moved === 1 ? '' : 's'} of this key now belong to the account ${to}`);
      changed();
    } catch (error) {
      logger.info(`the account's name could not be written down: ${errorForLog(error)}. It is tried again`);
      this.#retryIn(MINUTE);
    } finally {
      this.#isAdopting = false;
    }
  }

  /** Whether what another account has may be what an older key of this one has put, in a process that may still run. */
  #mayBeRotated(accounts: readonly AccountStats[]): boolean {
    if (this.#state !== 'unknown') return false;
    const isNear = ({ account }: AccountStats) => account.startsWith(`${this.#options.address} `);
    return accounts.some(each => isNear(each) && this.#isForeign(each));
  }

  #isForeign({ account, aliases, pending, inFlight }: AccountStats): boolean {
    const isOwn = account === this.name || account === this.#lastingName || aliases.includes(this.name);
    return !isOwn && pending + inFlight > 0;
  }

  /** Says what this recorder leaves to others, where no process seems to deliver it. */
  #tellOf(accounts: readonly AccountStats[]): void {
    const foreign = accounts.filter(each => this.#isForeign(each) && !each.delivering);
    if (foreign.length === 0) return;
    const { location = '<file>' } = this.#hooks.outbox;
    const count = foreign.reduce((sum, { pending, inFlight }) => sum + pending + inFlight, 0);
    const names = foreign.map(({ account }) => JSON.stringify(account)).join(', ');
    this.#hooks.logger.warn(
      `the outbox ${location} holds ${count} message${count === 1 ? '' : 's'} recorded for another account, ${names}: they are kept, and not sent by this recorder (its account is ${JSON.stringify(this.name)}). An app with that account's key sends them; to send them under this one: synap-recorder outbox adopt ${location} --from ${JSON.stringify(foreign[0]?.account)}`,
    );
  }
}

async function outboxAccounts(outbox: Outbox): Promise<readonly AccountStats[] | undefined> {
  try {
    return await outbox.accounts?.();
  } catch {
    return undefined;
  }
}
