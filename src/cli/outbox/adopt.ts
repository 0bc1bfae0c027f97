import { OutboxReader } from '../../outbox/sqlite/inspect.js';
import { sqliteOutbox } from '../../outbox/sqlite/sqlite-outbox.js';
import { accountOf } from '../../recorder/account.js';
import { SynapClient } from '../../synap/client.js';
import { UsageError } from '../command-line.js';
import type { ConnectionFlags } from '../flags.js';
import { counted } from '../output.js';
import { harmlessLine } from '../terminal.js';

interface AdoptFlags extends ConnectionFlags {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly json: true | undefined;
}

/** How long Synap may take to say whose the key is. */
const ASK_MS = 5000;

export async function adoptMessages(file: string, flags: AdoptFlags): Promise<void> {
  const { from, to, json } = flags;
  if (!from) throw new UsageError("missing required option '--from <account>': outbox status names the accounts");
  if (to !== undefined && !/^[^\p{Cc}]{1,200}$/u.test(to))
    throw new UsageError("option '--to <account>' must be 1 to 200 characters, without control characters");
  const known = knownAccounts(file);
  const source = known.find(each => each.account === from || each.aliases.includes(from));
  if (source === undefined)
    throw new Error(
      unknown(
        file,
        from,
        known.map(({ account }) => account),
      ),
    );
  const target = to ?? (await accountOfKey(flags, name => known.some(({ aliases }) => aliases.includes(name))));
  const outbox = sqliteOutbox({ path: file });
  try {
    const moved = await outbox.adopt?.(source.account, target);
    if (moved === 'busy')
      throw new Error(`a process is sending messages of ${from} right now: end it first, then the same command again`);
    process.stdout.write(
      json
        ? `${JSON.stringify({ adopted: moved, from: source.account, to: target })}\n`
        : harmlessLine(`${counted(moved ?? 0, 'message')} moved from ${from} to ${target}`).concat('\n'),
    );
  } finally {
    await outbox.close();
  }
}

function knownAccounts(file: string) {
  const reader = new OutboxReader(file);
  try {
    return reader.status().accounts;
  } finally {
    reader.close();
  }
}

function unknown(file: string, from: string, accounts: readonly string[]): string {
  const named =
    accounts.length === 0 ? 'it has none' : `it has ${accounts.map(name => JSON.stringify(name)).join(', ')}`;
  return `${file} has no account ${JSON.stringify(from)}: ${named}`;
}

/** The account of a key: by its name in the file, if that is known, or as Synap calls it. */
async function accountOfKey({ baseUrl, apiKey }: ConnectionFlags, isKnown: (name: string) => boolean): Promise<string> {
  const client = new SynapClient({ baseUrl, apiKey });
  try {
    const { name, identify } = accountOf({ baseUrl, apiKey }, client);
    if (isKnown(name) || identify === undefined) return name;
    // A name that only the key has is the account's, too: the app that uses it finds what it has.
    return (await identify(AbortSignal.timeout(ASK_MS)).catch(() => undefined)) ?? name;
  } finally {
    await client.close();
  }
}
