// A process with an outbox in a file that does what it is told: each line on stdin is a call, each on stdout its answer.

import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { sqliteOutbox } from '../../../dist/outbox/sqlite/index.js';

const outbox = sqliteOutbox(JSON.parse(process.argv[2] ?? '{}'));
const log: string[] = [];
const write = (line: string) => void log.push(line);
outbox.open?.({ info: write, warn: write, error: write });
writeSync(1, 'null\n');

for await (const line of createInterface({ input: process.stdin })) {
  const [method, ...args] = JSON.parse(line, (key, value) => (key === 'except' ? new Set(value) : value));
  const answer = method === 'log' ? log : await outbox[method as 'claim'](...(args as Parameters<typeof outbox.claim>));
  writeSync(1, `${JSON.stringify(answer ?? null)}\n`);
}
