import { type AccountStatus, OutboxReader } from '../../outbox/sqlite/inspect.js';
import { sqliteOutbox } from '../../outbox/sqlite/sqlite-outbox.js';
import { createRecorder, type Recorder } from '../../recorder/recorder.js';
import type { ConnectionFlags } from '../flags.js';
import { counted, note } from '../output.js';
import { ProgressBar } from '../progress-bar.js';

interface ReplayFlags extends ConnectionFlags {
  readonly key: readonly string[] | undefined;
  /** In seconds. */
  readonly timeout: number | undefined;
  readonly json: true | undefined;
}

const STEP_MS = 250;

/** How long Synap may take to say whose the key is. */
const IDENTIFY_MS = 6000;

export async function replayOutbox(file: string, flags: ReplayFlags): Promise<void> {
  // A file that is not there must not be made.
  new OutboxReader(file).close();
  const recorder = createRecorder({
    baseUrl: flags.baseUrl,
    apiKey: flags.apiKey,
    outbox: sqliteOutbox({ path: file }),
    logger: { info() {}, warn: note, error: note },
  });
  try {
    await accountKnown(file, recorder);
    const before = recorder.stats();
    const others = othersIn(file, recorder.account);
    const replayed = await recorder.deadLetters.replay(flags.key);
    const why = await sendAll(recorder, flags.timeout);
    const after = recorder.stats();
    const result = {
      replayed,
      delivered: after.delivered - before.delivered,
      deadLettered: after.deadLettered + after.expired - (before.deadLettered + before.expired - replayed),
      pending: after.pending + after.held + after.inFlight,
    };
    process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : asText(result));
    // Nothing was there to be sent, though something waits: most likely the key is not the one that is meant.
    const nothing = replayed + before.pending + before.held + before.inFlight === 0;
    if (others !== undefined && nothing) throw new Error(others);
    if (others !== undefined) note(others);
    if (why !== undefined)
      throw new Error(`${counted(result.pending, 'message')} stay${result.pending === 1 ? 's' : ''} pending: ${why}`);
    if (result.deadLettered > 0)
      throw new Error(
        `Synap refused ${counted(result.deadLettered, 'message')} again. To see why: synap-recorder outbox list ${file} --state dead`,
      );
  } finally {
    await recorder.close({ timeoutMs: 0 });
  }
}

/** Gives Synap time to say whose the key is, where the file does not know: it may have the messages under another name. */
async function accountKnown(file: string, recorder: Recorder): Promise<void> {
  if (!recorder.account?.includes(' key:')) return;
  for (const deadline = Date.now() + IDENTIFY_MS; Date.now() < deadline; ) {
    const isKnown = accountsIn(file).some(({ aliases }) => aliases.includes(recorder.account ?? ''));
    if (isKnown || recorder.stats().foreign === 0) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** What other accounts have in the file, in words; undefined if nothing. */
function othersIn(file: string, own: string | undefined): string | undefined {
  const foreign = accountsIn(file).filter(
    ({ account, aliases, pending, inFlight, deadLetters }) =>
      account !== own && !aliases.includes(own ?? '') && pending + inFlight + deadLetters > 0,
  );
  if (foreign.length === 0) return undefined;
  const names = foreign.map(({ account }) => JSON.stringify(account)).join(', ');
  return `${file} holds messages of another account, ${names}, which are not sent with this key. With that account's key: the same command; to send them with this one: synap-recorder outbox adopt ${file} --from ${JSON.stringify(foreign[0]?.account)}`;
}

function accountsIn(file: string): readonly AccountStatus[] {
  const reader = new OutboxReader(file);
  try {
    return reader.status().accounts;
  } finally {
    reader.close();
  }
}

/** Sends until nothing is left. @returns why something is left */
async function sendAll(recorder: Recorder, timeoutSeconds = Number.POSITIVE_INFINITY): Promise<string | undefined> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
  };
  process.once('SIGINT', interrupt);
  const left = () => {
    const { pending, held, inFlight } = recorder.stats();
    return pending + held + inFlight;
  };
  const total = left();
  const bar = new ProgressBar(() => {
    const done = Math.max(0, total - left());
    return { share: total === 0 ? 1 : done / total, words: `${done} of ${total} messages` };
  });
  try {
    while (left() > 0) {
      if (recorder.stats().held > 0)
        return 'Synap refuses the key, the account or the address. To see which: synap-recorder doctor';
      if (interrupted) return 'interrupted (Ctrl-C). To go on: the same command again';
      if (Date.now() > deadline) return `timed out after ${timeoutSeconds * 1000} ms. To go on: the same command again`;
      await Promise.all([recorder.flush({ timeoutMs: STEP_MS }), new Promise(resolve => setTimeout(resolve, STEP_MS))]);
    }
    return undefined;
  } finally {
    bar.end();
    process.off('SIGINT', interrupt);
  }
}

function asText({ replayed, delivered, deadLettered, pending }: Record<string, number>): string {
  return `${replayed} dead letters sent again, ${delivered} messages delivered, ${deadLettered} refused again, ${pending} pending\n`;
}
