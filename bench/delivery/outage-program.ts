// What a turn costs while the backend is there, and while it is not and all queues are full.

import { setImmediate } from 'node:timers/promises';
import { eventText } from './events.ts';
import { openSender, type Sender } from './senders.ts';
import type { Way } from './ways.ts';

export interface OutageJob {
  way: Way;
  url: string;
  /** Where nobody listens. */
  deadUrl: string;
  directory: string;
}

/** Times of turns, in milliseconds, and by how much the process has grown in the outage. */
export interface Outage {
  healthy: number[];
  full: number[];
  grownBytes: number;
}

const LENGTH = 4096;
/** 48 MB: more than synap-recorder's bound of 32 MiB, and more events than its 10,000. */
const FILL = 6000;
const TURNS = 2000;

const { way, url, deadUrl, directory }: OutageJob = JSON.parse(process.argv[2] ?? '');
const ignore = () => {};
const open = (url: string) => openSender(way.sender, { url, directory, onLost: ignore, onError: ignore }, way.settings);

/** The times of so many turns of two events each, a turn of the event loop after every 20. */
async function turns(sender: Sender, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const [prompt, answer] = [eventText(2 * n, LENGTH), eventText(2 * n + 1, LENGTH)];
    const started = performance.now();
    sender.record(prompt);
    sender.record(answer);
    times.push(performance.now() - started);
    if (n % 20 === 19) await setImmediate();
  }
  return times;
}

const sender = await open(url);
await turns(sender, TURNS / 2);
await sender.flush();
const healthy = await turns(sender, TURNS);
await sender.flush();

globalThis.gc?.();
const before = process.memoryUsage.rss();
const cutOff = await open(deadUrl);
await turns(cutOff, FILL);
const full = await turns(cutOff, TURNS);
globalThis.gc?.();
const outage: Outage = { healthy, full, grownBytes: process.memoryUsage.rss() - before };
process.send?.(outage, () => process.exit());
