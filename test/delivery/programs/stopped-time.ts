// An app that replaces its timers and stops its clock after it has loaded the recorder, as a test with fake timers does.
// Prints what flush() and close() came to, as JSON.

import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createRecorder, memoryOutbox } from '../../../dist/index.js';
import { sqliteOutbox } from '../../../dist/outbox/sqlite/index.js';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    /** Without one, the outbox is in memory. */
    file: { type: 'string' },
    /**
     * What is stopped: `Date` only, or the `timers`, too, or `all`, with what Node.js itself needs. `jump` is that of a clock which
     * was wrong until then, and `mock` a `Date.now` that gives nothing.
     */
    stop: { type: 'string', default: 'timers' },
  },
});

const performanceNow = performance.now.bind(performance);
const settings = {
  apiKey: 'k',
  baseUrl: values.url,
  userId: 'ada',
  rateLimit: { requestsPerMinute: 600, burst: 2 },
  batch: { lingerMs: 5, maxMessages: 2 },
  retry: { baseMs: 5, maxMs: 50 },
  logger: false,
} as const;
const recorder = createRecorder({
  ...settings,
  outbox: values.file === undefined ? memoryOutbox() : sqliteOutbox({ path: values.file, leaseMs: 400 }),
});

// A connection is open, and a burst used up, when time stops.
say(2);
await recorder.flush({ timeoutMs: 10_000 });
if (values.stop !== 'jump') stopTime();
say(10);
if (values.stop === 'jump') stopTime();
const flushed = await recorder.flush({ timeoutMs: values.stop === 'all' ? 500 : 10_000 });
const started = performanceNow();
await recorder.close({ timeoutMs: values.stop === 'all' ? 500 : 5000 });
const closedMs = performanceNow() - started;
const { delivered, accepted } = recorder.stats();
const result = JSON.stringify({ flushed, closedMs, delivered, accepted });
writeSync(1, `${result}\n`);
// Nothing of Node.js goes on without its ticks.
if (values.stop === 'all') process.exit(0);

function say(count: number): void {
  for (let n = 0; n < count; n++) {
    const turn = recorder.turn({ conversationId: `chat-${n}` });
    turn.user(`q${n}`);
    turn.complete({ content: `a${n}` });
  }
}

function stopTime(): void {
  const now = Date.now();
  Date.now = () => now;
  if (values.stop === 'Date') return;
  if (values.stop === 'mock') {
    Date.now = (() => undefined) as never;
    return;
  }
  if (values.stop === 'jump') {
    Date.now = () => now + 56 * 365 * 86_400_000;
    return;
  }
  performance.now = () => now;
  const never = () => ({ ref() {}, unref() {}, hasRef: () => false, refresh() {} });
  Object.assign(globalThis, {
    setTimeout: never,
    setInterval: never,
    setImmediate: never,
    clearTimeout() {},
    clearInterval() {},
    clearImmediate() {},
  });
  if (values.stop !== 'all') return;
  process.nextTick = () => {};
  globalThis.queueMicrotask = () => {};
}
