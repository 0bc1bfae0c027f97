// What the command line needs of time and memory for a large store: exports from the file and from the server (the
// server's own memory, too, with a reader that is slow), and imports into a local Synap.
//
//   npm run cli            (MESSAGES=1000000 by default)

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const MESSAGES = Number(process.env.MESSAGES ?? 1_000_000);
const PER_CONVERSATION = 50;
const MAIN = fileURLToPath(new URL('../local/dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'synap-recorder-bench-'));
const hook = join(folder, 'rss.mjs');
writeFileSync(hook, "process.on('exit', () => console.error('RSS', process.resourceUsage().maxRSS));");

interface Running {
  env: Record<string, string>;
  /** Ends it, and answers the most memory it has had, in MiB. */
  end(): Promise<number>;
}

function start(args: string[], env: Record<string, string | undefined> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...env, NODE_OPTIONS: `--import=${pathToFileURL(hook)}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', chunk => {
    errors += chunk;
  });
  const exited = once(child, 'exit');
  const rss = async () => {
    const [code] = await exited;
    if (code !== 0) throw new Error(`${args[0]} ended with ${code}: ${errors}`);
    return Number(/RSS (\d+)/.exec(errors)?.[1]) / 1024;
  };
  return { child, rss };
}

async function local(database: string): Promise<Running> {
  const { child, rss } = start(['serve', '--port', '0', '--json', '--database', database]);
  const [line] = await once(child.stdout, 'data');
  const { url, apiKey } = JSON.parse(String(line));
  return {
    env: { SYNAP_BASE_URL: url, SYNAP_API_KEY: apiKey },
    end() {
      child.kill('SIGINT');
      return rss();
    },
  };
}

/** Runs a command to its end, reading what it writes; `pauseMs` after each piece makes a slow reader. */
async function run(name: string, args: string[], env: Record<string, string> = {}, pauseMs = 0): Promise<void> {
  const begun = performance.now();
  const { child, rss } = start(args, env);
  let bytes = 0;
  for await (const chunk of child.stdout) {
    bytes += chunk.length;
    if (pauseMs > 0) await new Promise(resolve => setTimeout(resolve, pauseMs));
  }
  const mib = await rss();
  const seconds = (performance.now() - begun) / 1000;
  console.log(`| ${name} | ${seconds.toFixed(1)} s | ${Math.round(mib)} MiB | ${Math.round(bytes / 2 ** 20)} MiB |`);
}

function* conversations(count: number): Generator<string> {
  for (let at = 0; at < count; at += PER_CONVERSATION) {
    const messages = Array.from({ length: PER_CONVERSATION }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: `Message number ${at + index}. ${'All work and no play makes Jack a dull boy. '.repeat(6)}`,
    }));
    yield `${JSON.stringify({ id: `chat-${at / PER_CONVERSATION}`, user: 'ada', messages })}\n`;
  }
}

try {
  console.log(`${MESSAGES} messages\n\n| | time | most memory | written |\n|---|---|---|---|`);
  const few = join(folder, 'few.jsonl');
  const many = join(folder, 'many.jsonl');
  await pipeline(Readable.from(conversations(1000)), createWriteStream(few));
  await pipeline(Readable.from(conversations(MESSAGES)), createWriteStream(many));
  const database = join(folder, 'synap.db');
  const first = await local(database);
  await run('import, 1,000 messages', ['import', few], first.env);
  await run('import, all', ['import', many], first.env);
  await run('import, all again: nothing to send', ['import', many], first.env);
  console.log(`| the server meanwhile | | ${Math.round(await first.end())} MiB | |`);

  await run('export --database', ['export', '--database', database]);
  await run('export --database, Markdown', ['export', '--database', database, '--format', 'markdown']);
  const second = await local(database);
  await run('export from the server', ['export'], second.env);
  await run('export from the server, one user of none', ['export', '--user', 'nobody'], second.env);
  await run('export from the server, a slow reader', ['export'], second.env, 2);
  console.log(`| the server meanwhile | | ${Math.round(await second.end())} MiB | |`);
  const state = Math.round(readFileSync(`${many}.synap-import`).length / 2 ** 20);
  console.log(`\nThe state of the import has ${state} MiB.`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
