// Ten minutes of an app that says 1,000 messages a second while Synap refuses connections, on a clock that is told to
// go on. Takes the text's length and alphabet; prints what became of the messages and of the memory, as JSON.
// Run with --expose-gc.
import { randomBytes } from 'node:crypto';
import { mock } from 'node:test';
import type { Loss, Recorder } from '../../../dist/index.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const TICK_MS = 100;
/** A turn is two messages. */
const TURNS_A_TICK = 50;
const CONVERSATIONS = 500;
const MiB = 1024 * 1024;

const [length = '1000', alphabet = 'latin'] = process.argv.slice(2);
const { gc } = globalThis;
if (!gc) throw new Error('run with --expose-gc');
mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: Date.now() });
performance.now = () => Date.now();
// It takes timers and clock as they are when it is loaded.
const { createRecorder } = await import('../../../dist/index.js');

/** Random, so that no two texts share memory. One character beyond Latin-1 makes a text twice as large in memory. */
function text(): string {
  const random = randomBytes(Math.ceil((Number(length) * 3) / 4)).toString('base64');
  return alphabet === 'latin' ? random : `${random}😀`;
}

async function run(ms: number) {
  const lost = new Map<string, number>();
  const count = ({ messageKey = '' }: Loss) => {
    const [turn = ''] = messageKey.split(':');
    lost.set(turn, (lost.get(turn) ?? 0) + 1);
  };
  const recorder = createRecorder({
    apiKey: 'test-key',
    // Nothing listens on port 1.
    baseUrl: 'http://127.0.0.1:1',
    userId: 'ada',
    logger: false,
    onLoss: count,
  });
  let [said, torn, peak] = [0, 0, 0];
  for (let at = 0; at < ms; at += TICK_MS) {
    // Half a tick first: so the outbox is full when it has the questions of a tick, but not their answers.
    const turns = Array.from({ length: at === 0 ? TURNS_A_TICK / 2 : TURNS_A_TICK }, (_, n) =>
      recorder.turn({ conversationId: `chat-${(said / 2 + n) % CONVERSATIONS}` }),
    );
    for (const turn of turns) turn.user(text());
    for (const turn of turns) turn.complete({ content: text() });
    said += 2 * turns.length;
    torn += turns.filter(({ id }) => lost.get(id) === 1).length;
    lost.clear();
    mock.timers.tick(TICK_MS);
    // Lets the sockets be refused.
    for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve));
    // Left to itself, V8 lets the app's own garbage grow past 100 MiB before it looks: that is not what is measured.
    if (at % SECOND === 0) peak = Math.max(peak, rss());
  }
  return { recorder, said, torn, peak };
}

function rss(): number {
  gc?.();
  return process.memoryUsage.rss();
}

// Loads and compiles what it takes, without making room for what is measured.
const warm = await run(SECOND);
await close(warm.recorder);
const before = rss();
const { recorder, said, torn, peak } = await run(10 * MINUTE);
const { accepted, pending, inFlight, refused } = recorder.stats();
const mib = (bytes: number) => Math.round((10 * bytes) / MiB) / 10;
console.log(
  JSON.stringify({
    said,
    accepted,
    waiting: pending + inFlight,
    refused,
    torn,
    grownMiB: mib(peak - before),
    beforeMiB: mib(before),
  }),
);
await close(recorder);

async function close(recorder: Recorder): Promise<void> {
  let open = true;
  const closed = recorder.close({ timeoutMs: 0 }).finally(() => {
    open = false;
  });
  while (open) {
    mock.timers.tick(1);
    await new Promise(resolve => setImmediate(resolve));
  }
  await closed;
}
