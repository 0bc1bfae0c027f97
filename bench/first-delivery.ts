// Whether the first delivery is felt: the longest gap between two chunks of an open stream while the first batch is sent,
// with a recorder and without, and what the recorder costs at start. Run: node first-delivery.ts [--rounds 20]

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { AppJob, AppStart } from './first-delivery/app.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const rounds = Number(values.rounds);
const APP = fileURLToPath(new URL('first-delivery/app.ts', import.meta.url));

let batches = 0;
const synap = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    batches++;
    const results = [{ message_id: 'm0' }, { message_id: 'm1' }];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ total: 2, succeeded: 2, failed: 0, results }));
  });
});
await new Promise<void>(resolve => synap.listen(0, '127.0.0.1', resolve));
const synapUrl = `http://127.0.0.1:${(synap.address() as AddressInfo).port}`;

interface Run extends Omit<AppStart, 'port'> {
  gapMs: number;
  maxRssMiB: number;
}

/** Starts the app, reads one stream of it, and ends it. */
async function run(job: AppJob): Promise<Run> {
  const app = fork(APP, [JSON.stringify(job)]);
  const [{ port, ...start }] = (await once(app, 'message')) as [AppStart];
  const gapMs = await longestGap(port);
  app.send('end');
  const [{ maxRssMiB }] = (await once(app, 'message')) as [{ maxRssMiB: number }];
  await once(app, 'exit');
  return { ...start, gapMs, maxRssMiB };
}

function longestGap(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    get(`http://127.0.0.1:${port}/`, response => {
      let longest = 0;
      let last = performance.now();
      response.on('data', () => {
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
      });
      response.on('end', () => resolve(longest));
    }).on('error', reject);
  });
}

const ways = [
  { name: 'plain', synapUrl: undefined },
  { name: 'plain, again (A/A)', synapUrl: undefined },
  { name: '**with a recorder**', synapUrl },
];
const servers = ['node:http', 'Express'] as const;
const cells = servers.flatMap(server => ways.map(way => ({ server, ...way, runs: [] as Run[] })));

for (let round = 0; round < rounds; round++) {
  // In another order each time: who comes first finds a machine that has rested.
  const order = round % 2 ? cells.toReversed() : cells;
  for (const { server, synapUrl, runs } of order) runs.push(await run({ server, synapUrl }));
}
synap.close();
if (batches < rounds * servers.length) throw new Error(`only ${batches} batches were sent`);

const sorted = (numbers: number[]) => numbers.toSorted((a, b) => a - b);
const median = (numbers: number[]) => sorted(numbers)[numbers.length >> 1] ?? Number.NaN;
const shown = (number: number, unit: string) => `${number.toFixed(1)} ${unit}`;

console.log(`\n${rounds} rounds, Node.js ${process.version}\n`);
console.log('| | | longest gap, median | longest gap, maximum | import + createRecorder | CPU at start | peak RSS |');
console.log('|---|---|---|---|---|---|---|');
for (const { server, name, runs } of cells) {
  const of = (field: keyof Run) => runs.map(run => run[field]);
  const figures = [
    shown(median(of('gapMs')), 'ms'),
    shown(Math.max(...of('gapMs')), 'ms'),
    shown(median(of('createMs')), 'ms'),
    shown(median(of('cpuMs')), 'ms'),
    shown(median(of('maxRssMiB')), 'MiB'),
  ];
  console.log(`| ${server} | ${name} | ${figures.join(' | ')} |`);
}
