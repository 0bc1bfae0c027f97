import type { Logger } from '../internal/logger.js';
import { isPromise, type MaybePromise } from '../internal/promises.js';
import type { ClaimedEntry, Outbox } from '../outbox/outbox.js';

/** What one account has of an outbox: each call is about its entries only. */
export function outboxOfAccount(outbox: Outbox, account: string, logger?: Logger): Outbox {
  const own = new OwnEntries(outbox, account, logger);
  return {
    durable: outbox.durable,
    pollMs: outbox.pollMs,
    location: outbox.location,
    open: logger => outbox.open?.(logger, account),
    put: (entry, options) => outbox.put({ ...entry, account }, options),
    claim(limits) {
      const claimed = outbox.claim({ ...limits, account, except: own.except(limits.except) });
      return isPromise(claimed) ? claimed.then(entries => own.of(entries)) : own.of(claimed);
    },
    settle: settlements => outbox.settle(settlements, account),
    keepsLease: () => outbox.keepsLease?.(account) ?? true,
    stats: () => outbox.stats(account),
    ...(outbox.fullness && { fullness: () => outbox.fullness?.(account) ?? 0 }),
    oldestAgeMs: () => outbox.oldestAgeMs?.(account),
    progress: position => outbox.progress(position, account),
    deadLetters: page => outbox.deadLetters({ ...page, account }),
    replay: keys => outbox.replay(keys, { account }),
    purge: (keys, options) => outbox.purge(keys, { ...options, account }),
    close: options => outbox.close(options),
  };
}

/**
 * Keeps what another account has put from being sent, in an outbox that was written before there were accounts: it hands out
 * everything that it holds.
 */
class OwnEntries {
  readonly #outbox: Outbox;
  readonly #account: string;
  readonly #logger: Logger | undefined;
  readonly #foreignConversations = new Set<string>();

  constructor(outbox: Outbox, account: string, logger: Logger | undefined) {
    this.#outbox = outbox;
    this.#account = account;
    this.#logger = logger;
  }

  except(conversations: ReadonlySet<string>): ReadonlySet<string> {
    const foreign = this.#foreignConversations;
    return foreign.size === 0 ? conversations : new Set([...conversations, ...foreign]);
  }

  /** Puts back what is another's. */
  of(claimed: readonly ClaimedEntry[]): MaybePromise<readonly ClaimedEntry[]> {
    const isForeign = ({ account = this.#account }: ClaimedEntry) => account !== this.#account;
    const foreign = claimed.filter(isForeign);
    if (foreign.length === 0) return claimed;
    if (this.#foreignConversations.size === 0)
      this.#logger?.warn(
        `the outbox holds messages recorded for another account, ${JSON.stringify(foreign[0]?.account)}: they are kept, and not sent by this recorder. It knows no accounts: give each account an outbox of its own`,
      );
    for (const { message } of foreign) this.#foreignConversations.add(message.conversationId);
    const settled = this.#outbox.settle(
      foreign.map(({ key, attempts, maybeStored }) => ({ key, to: 'pending', attempts, maybeStored })),
      this.#account,
    );
    const own = claimed.filter(entry => !isForeign(entry));
    return isPromise(settled) ? settled.then(() => own) : own;
  }
}
