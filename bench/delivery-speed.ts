// How fast background senders are, and what they cost the app. Run: npm run speed

import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Backend } from './delivery/backend.ts';
import type { Cost, CostJob } from './delivery/cost-program.ts';
import type { Outage, OutageJob } from './delivery/outage-program.ts';
import { quantile } from './delivery/quantile.ts';
import { type Job, SenderProcess } from './delivery/sender-process.ts';
import { CONVERSATIONS } from './delivery/senders.ts';
import { others, type Way } from './delivery/ways.ts';

const SECOND = 1000;
// Everybody's batches go into it without a rest: some wait long for a last one that is not full.
const EVENTS = Number(process.env.EVENTS ?? 6000);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
// `npm run speed -- requests throughput cost full` runs these parts only.
const parts = process.argv.slice(2);
const wants = (part: string) => parts.length === 0 || parts.includes(part);

// The servers are in this process; every sender is in one of its own.
const directory = mkdtempSync(join(tmpdir(), 'speed-'));
let directories = 0;
function freshDirectory(): string {
  const fresh = join(directory, String(directories++));
  mkdirSync(fresh);
  return fresh;
}

const ours = (name: string, settings: Way['settings'] = {}): Way => ({
  name: `**synap-recorder**${name}`,
  sender: 'synap',
  settings,
});

/** Has a sender send events, and answers with the backend that took them. */
async function send({ sender, settings }: Way, job: Pick<Job, 'events' | 'length' | 'feed'>, delayMs = 0) {
  const backend = await Backend.start(sender, { delayMs });
  const process = new SenderProcess({
    ...job,
    sender,
    settings,
    url: backend.url,
    directory: freshDirectory(),
    end: 'closed',
  });
  const started = performance.now();
  const done = () => backend.stored === job.events || (process.flushed && backend.quietMs > 4 * SECOND);
  while (!done() && performance.now() - started < 120 * SECOND) await sleep(10);
  const { requests, stored, lastStoredAt } = backend;
  await process.finish(10 * SECOND);
  await backend.close();
  if (process.recordedAt === 0) throw new Error(`${sender} did not start: ${process.log}`);
  return { requests, stored, seconds: (lastStoredAt - process.recordingAt) / SECOND };
}

if (wants('requests')) {
  const rate = 50;
  const events = 20 * rate;
  const ways = [...others, ours('')];
  const sent = await Promise.all(ways.map(way => send(way, { events, length: 1000, feed: rate })));
  console.log(`\nRequests at ${rate} events a second, for ${events / rate} s\n`);
  console.log('| | requests | events a request | requests an event | requests a turn of two |\n|---|---|---|---|---|');
  for (const [place, { name }] of ways.entries()) {
    const { requests, stored } = sent[place] as Awaited<ReturnType<typeof send>>;
    const each = (share: number) => `1/${(stored / requests / share).toFixed(0)}`;
    console.log(`| ${name} | ${requests} | ${(stored / requests).toFixed(1)} | ${each(1)} | ${each(2)} |`);
  }
}

if (wants('throughput')) {
  const delays = [0, 20, 200];
  const ways = [
    ...others,
    ours(', memory, maxInFlight 1', { rateLimit: false }),
    ours(', memory, maxInFlight 8', { rateLimit: false, maxInFlight: 8 }),
    ours(', SQLite, maxInFlight 1', { rateLimit: false, outbox: 'sqlite' }),
    ours(', SQLite, maxInFlight 8', { rateLimit: false, outbox: 'sqlite', maxInFlight: 8 }),
  ];
  const rates = ways.map(() => delays.map(() => [] as number[]));
  const stored = ways.map(() => delays.map(() => EVENTS));
  for (let round = 0; round < ROUNDS; round++)
    for (const [column, delay] of delays.entries())
      for (const [row, way] of ways.entries()) {
        const sent = await send(way, { events: EVENTS, length: 1000, feed: 'yielding' }, delay);
        rates[row]?.[column]?.push(sent.stored / sent.seconds);
        if (stored[row]) stored[row][column] = Math.min(stored[row][column] ?? 0, sent.stored);
      }
  const median = (row: number, column: number) => quantile(rates[row]?.[column] ?? [], 0.5);
  const all = (row: number, column: number) => stored[row]?.[column] === EVENTS;
  const best = delays.map((_, column) =>
    Math.max(...others.map((_, row) => (all(row, column) ? median(row, column) : 0))),
  );
  console.log(
    `\n${EVENTS} events of 1 KB, ${CONVERSATIONS} conversations: events a second until the last is stored (to the best of the five)\n`,
  );
  console.log(`| backend answers after | ${delays.map(delay => `${delay} ms`).join(' | ')} |`);
  console.log(`|---|${delays.map(() => '---|').join('')}`);
  for (const [row, { name }] of ways.entries()) {
    const cells = delays.map((_, column) => {
      const rate = median(row, column);
      const lost = all(row, column) ? '' : `, only ${stored[row]?.[column]} stored`;
      return `${rate.toFixed(0)} (${(rate / (best[column] ?? 0)).toFixed(2)}${lost})`;
    });
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}

/** Runs a program of its own, which answers with one message. */
function answerOf<T>(program: string, job: object): Promise<T> {
  const path = fileURLToPath(new URL(`delivery/${program}`, import.meta.url));
  const child = fork(path, [JSON.stringify(job)], { execArgv: ['--expose-gc'], silent: true });
  return new Promise((resolve, reject) => {
    let log = '';
    child.stderr?.on('data', text => {
      log += text;
    });
    child.stdout?.resume();
    child.on('message', message => resolve(message as T));
    child.on('exit', code => reject(new Error(`${program} ended with ${code}: ${log}`)));
  });
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const ms = (value: number) => `${value.toFixed(3)} ms`;

if (wants('cost')) {
  const ways = [
    ours(', memory', { rateLimit: false }),
    ours(', memory, again (A/A)', { rateLimit: false }),
    ours(', SQLite, `normal`', { rateLimit: false, outbox: 'sqlite', durability: 'normal' }),
    ours(', SQLite, `full`', { rateLimit: false, outbox: 'sqlite', durability: 'full' }),
    ...others,
  ];
  const backends = await Promise.all(ways.map(way => Backend.start(way.sender)));
  const place = freshDirectory();
  for (const n of ways.keys()) mkdirSync(join(place, String(n)));
  const costs = await answerOf<Cost[]>('cost-program.ts', {
    ways: ways.map((way, n) => ({ way, url: backends[n]?.url ?? '' })),
    rounds: ROUNDS * 30,
    directory: place,
  } satisfies CostJob);
  await Promise.all(backends.map(backend => backend.close()));
  console.log('\nOne call with 10 KB of text, and the CPU time of an event until it is delivered\n');
  console.log('| | p50 | p99 | ratio of rounds (p10–p90) | CPU an event |\n|---|---|---|---|---|');
  const [base] = costs;
  for (const [row, { name }] of ways.entries()) {
    const { rounds = [], cpuMs = [] } = costs[row] ?? {};
    const ratios = rounds.map((times, n) => sum(times) / sum(base?.rounds[n] ?? []));
    const [low, middle, high] = [0.1, 0.5, 0.9].map(share => quantile(ratios, share).toFixed(2));
    const calls = rounds.flat();
    console.log(
      `| ${name} | ${ms(quantile(calls, 0.5))} | ${ms(quantile(calls, 0.99))} | ${middle} (${low}–${high}) | ${ms(quantile(cpuMs, 0.5))} |`,
    );
  }
}

if (wants('full')) {
  console.log('\nA turn of two times 4 KB: with the backend there; and with it down since 48 MB of turns\n');
  console.log('| | p50, there | p99, there | p50, down | p99, down | p99, ratio | memory grown by |');
  console.log('|---|---|---|---|---|---|---|');
  for (const way of [ours('', { rateLimit: false }), ...others]) {
    const backend = await Backend.start(way.sender);
    const job: OutageJob = { way, url: backend.url, deadUrl: await unusedUrl(), directory: freshDirectory() };
    const { healthy, full, grownBytes } = await answerOf<Outage>('outage-program.ts', job);
    await backend.close();
    const times = [quantile(healthy, 0.5), quantile(healthy, 0.99), quantile(full, 0.5), quantile(full, 0.99)];
    const ratio = (quantile(full, 0.99) / quantile(healthy, 0.99)).toFixed(2);
    console.log(
      `| ${way.name} | ${times.map(ms).join(' | ')} | ${ratio} | ${(grownBytes / 1024 / 1024).toFixed(0)} MiB |`,
    );
  }
}

/** An address where nobody listens any more. */
async function unusedUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

rmSync(directory, { recursive: true, force: true });
