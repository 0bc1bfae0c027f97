// The process that `SenderProcess` starts: one sender, one job.

import { writeSync } from 'node:fs';
import { eventText } from './events.ts';
import type { Job, Report } from './sender-process.ts';
import { openSender } from './senders.ts';

const job: Job = JSON.parse(process.argv[2] ?? '');
// Written at once, so that it arrives even if the process ends in the same moment.
const report = (report: Report) => void writeSync(3, `${JSON.stringify(report)}\n`);
const onError = () => report('error');

const { url, directory } = job;
const sender = await openSender(
  job.sender,
  { url, directory, onLost: lost => report({ lost }), onError },
  job.settings,
);

report('recording');
await feed();
report('recorded');

if (job.end === 'exit') process.exit();
if (job.end === 'SIGTERM') process.kill(process.pid, 'SIGTERM');
if (job.end === 'closed') {
  const stopped = new Promise(resolve => process.stdin.resume().on('end', resolve));
  const flushed = sender
    .flush()
    .catch(onError)
    .then(() => report('flushed'));
  await Promise.race([stopped, flushed]);
  await stopped;
  await sender.close().catch(onError);
}

async function feed(): Promise<void> {
  const { events, length, feed } = job;
  const started = performance.now();
  for (let n = 0; n < events; n++) {
    if (feed === 'yielding' && n % 50 === 0) await new Promise(resolve => setImmediate(resolve));
    if (typeof feed === 'number') {
      const early = started + (n / feed) * 1000 - performance.now();
      if (early > 0) await new Promise(resolve => setTimeout(resolve, early));
    }
    sender.record(eventText(n, length));
  }
}
