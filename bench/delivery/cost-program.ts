// What it costs to hand a sender one event of 10 KB, all ways in one process: in turn, round by round, in changing order.

import { join } from 'node:path';
import { eventText } from './events.ts';
import { openSender, type Sender } from './senders.ts';
import type { Way } from './ways.ts';

export interface CostJob {
  ways: { way: Way; url: string }[];
  rounds: number;
  directory: string;
}

/** Of one way: each call's time, in milliseconds, by round; and all its work, sending included, as CPU time an event. */
export interface Cost {
  rounds: number[][];
  cpuMs: number[];
}

const EVENTS = 20;
const LENGTH = 10 * 1024;
const WARM_UP = 10;

const { ways, rounds, directory }: CostJob = JSON.parse(process.argv[2] ?? '');
const gc = globalThis.gc as (options: { type: 'minor' }) => void;
const ignore = () => {};

const opened: { sender: Sender; cost: Cost }[] = [];
for (const [place, { way, url }] of ways.entries()) {
  const around = { url, directory: join(directory, String(place)), onLost: ignore, onError: ignore };
  opened.push({ sender: await openSender(way.sender, around, way.settings), cost: { rounds: [], cpuMs: [] } });
}

let events = 0;
for (let round = -WARM_UP; round < rounds; round++) {
  for (const { sender, cost } of round % 2 ? opened.toReversed() : opened) {
    // What the one before has left behind is not this one's cost.
    gc({ type: 'minor' });
    const times: number[] = [];
    const cpu = process.cpuUsage();
    for (let n = 0; n < EVENTS; n++) {
      const text = eventText(events++, LENGTH);
      const started = performance.now();
      sender.record(text);
      times.push(performance.now() - started);
    }
    await sender.flush();
    const { user, system } = process.cpuUsage(cpu);
    if (round < 0) continue;
    cost.rounds.push(times);
    cost.cpuMs.push((user + system) / 1000 / EVENTS);
  }
}
process.send?.(
  opened.map(({ cost }) => cost),
  () => process.exit(),
);
