// An app that records and is killed: at a moment of its own choosing (`--die settle:after:3`), or by its parent.
// It writes a line for each message that was accepted, at once, so that what it wrote is what it may be held to.

import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createRecorder, type Outbox } from '../../../dist/index.js';
import { sqliteOutbox } from '../../../dist/outbox/sqlite/index.js';

const { values } = parseArgs({
  options: {
    file: { type: 'string', default: '' },
    url: { type: 'string', default: '' },
    /** What the contents of its messages begin with. */
    name: { type: 'string', default: 'm' },
    /** How many messages it says; it drains the outbox and ends by itself when there are none. */
    count: { type: 'string', default: '0' },
    conversations: { type: 'string', default: '5' },
    die: { type: 'string' },
    lease: { type: 'string', default: '400' },
    /** Requests a minute; no limit by default. */
    rate: { type: 'string' },
    /** How long it takes to get the key. */
    keyMs: { type: 'string' },
    /** Whether it closes on SIGTERM. */
    closes: { type: 'boolean', default: false },
  },
});

const [method, moment, nth] = values.die?.split(':') ?? [];
let calls = 0;

/** Kills this process before or after the n-th call of a method has changed the file. */
function dying<A extends unknown[], R>(name: string, call: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    const die = name === method && ++calls === Number(nth);
    if (die && moment === 'before') process.kill(process.pid, 'SIGKILL');
    const answer = call(...args);
    if (die && moment === 'after') process.kill(process.pid, 'SIGKILL');
    return answer;
  };
}

const file = sqliteOutbox({ path: values.file, leaseMs: Number(values.lease) });
const outbox: Outbox = {
  durable: file.durable,
  pollMs: file.pollMs,
  open: logger => file.open?.(logger),
  put: dying('put', file.put.bind(file)),
  claim: dying('claim', file.claim.bind(file)),
  settle: dying('settle', file.settle.bind(file)),
  keepsLease: file.keepsLease?.bind(file),
  stats: file.stats.bind(file),
  progress: file.progress.bind(file),
  deadLetters: file.deadLetters.bind(file),
  replay: file.replay.bind(file),
  purge: file.purge.bind(file),
  close: file.close.bind(file),
};

async function keyLater(): Promise<string> {
  await new Promise(resolve => setTimeout(resolve, Number(values.keyMs)));
  return 'k';
}

const recorder = createRecorder({
  apiKey: values.keyMs === undefined ? 'k' : keyLater,
  account: 'sender',
  closeOnSignals: values.closes,
  baseUrl: values.url,
  userId: 'ada',
  outbox,
  rateLimit: values.rate === undefined ? false : { requestsPerMinute: Number(values.rate), burst: 1 },
  batch: { lingerMs: 1, maxMessages: 10 },
  retry: { baseMs: 5, maxMs: 50 },
  logger: false,
});

const count = Number(values.count);
for (let n = 0; n < count; n++) {
  const turn = recorder.turn({ conversationId: `${values.name}-${n % Number(values.conversations)}` });
  const content = `${values.name}:${n}`;
  turn.user(content);
  if ((await turn.accepted).accepted === 1) writeSync(1, `${content}\n`);
  if (n % 5 === 0) await new Promise(resolve => setTimeout(resolve, 1));
}
if (count > 0) setInterval(() => {}, 1000);
else {
  for (;;) {
    const { pending, inFlight } = recorder.stats();
    if (pending + inFlight === 0) break;
    await recorder.flush({ timeoutMs: 200 });
  }
  writeSync(1, `${JSON.stringify(recorder.stats())}\n`);
  await recorder.close();
}
