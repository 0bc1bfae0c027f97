// How long the viewer's pages take when there are 100,000 conversations, what a search takes, and what recording costs.
//
//   npm run build && node bench/viewer.ts [conversations]

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalSynap, startLocalSynap } from '../local/dist/index.js';

const CONVERSATIONS = Number(process.argv[2] ?? 100_000);
const TURNS = 3;
const BATCH = 500;
const ROUNDS = 15;
const LONG = 10_000;

const WORDS =
  'the a of and to in is that it for was on are with as his they at be this from have or by one had not but what all were when we there can an your which their said if do will each about how up out them then she many some so these would other into has more her two like him see time could no make than first been its who now people my made over did down only way find use may water long little very after words called just where most know'.split(
    ' ',
  );

/** Text that is the same in each run. */
function* chance(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}
const dice = chance(42);
const roll = (sides: number) => Math.floor((dice.next().value as number) * sides);
// Common words, names with numbers, and now and then something that is nowhere else.
const word = () => (roll(10) > 0 ? WORDS[roll(WORDS.length)] : `item${roll(50_000)}`);
const text = (words: number) => Array.from({ length: words }, word).join(' ');

const folder = mkdtempSync(join(tmpdir(), 'synap-bench-'));
const database = join(folder, 'synap.db');
const synap = await startLocalSynap({ database });
try {
  const cookie = await signIn(synap);
  console.log(`Node ${process.version}; ${CONVERSATIONS} conversations of ${TURNS} turns\n`);
  await fill(synap);
  await waitForIndex(cookie);
  console.log(`the file has ${(statSync(database).size / 1e6).toFixed(0)} MB\n`);
  await visit(cookie);
} finally {
  await synap.close();
  rmSync(folder, { recursive: true, force: true });
}

async function fill(synap: LocalSynap): Promise<void> {
  let sent = 0;
  const begun = performance.now();
  let batch: object[] = [];
  const send = async () => {
    await post(synap, batch);
    sent += batch.length;
    batch = [];
  };
  for (let index = 0; index < CONVERSATIONS; index++) {
    const conversation_id = crypto.randomUUID();
    // A thousand users; every hundredth model and twentieth status is another; an old model that nobody uses any more.
    const who = { conversation_id, user_id: `user-${index % 1000}`, customer_id: `customer-${index % 50}` };
    const model = index < CONVERSATIONS / 20 ? 'old-model' : index % 100 === 0 ? 'rare-model' : 'usual-model';
    for (let turn = 0; turn < TURNS; turn++) {
      const turn_id = `${index}-${turn}`;
      const content = index === 17 ? 'the needle in the haystack' : text(20);
      batch.push({ ...who, role: 'user', content, metadata: { turn_id, message_key: `${turn_id}-u` } });
      const metadata = {
        turn_id,
        message_key: `${turn_id}-a`,
        model,
        status: index % 20 === 0 ? 'error' : 'complete',
        latency_ms: roll(9000),
        input_tokens: roll(4000),
        output_tokens: roll(400),
      };
      batch.push({ ...who, role: 'assistant', content: text(120), metadata });
    }
    if (batch.length >= BATCH) await send();
  }
  await send();
  const ms = performance.now() - begun;
  console.log(`recording, in batches of ${BATCH}: ${((ms / sent) * 1000).toFixed(0)} µs a message, HTTP included`);
  const single = await median(200, () => post(synap, [message(crypto.randomUUID(), 0)]));
  console.log(`recording one message: ${single.toFixed(2)} ms, HTTP and disk included`);
}

function message(conversation_id: string, index: number) {
  return {
    conversation_id,
    role: index % 2 ? 'assistant' : 'user',
    content: text(100),
    user_id: 'long-talker',
    metadata: index % 2 ? { model: 'usual-model', latency_ms: roll(9000), input_tokens: 100 } : {},
  };
}

async function waitForIndex(cookie: string): Promise<void> {
  const begun = performance.now();
  for (;;) {
    const page = await get('/?q=needle', cookie);
    if (!page.includes('being made searchable')) break;
    await new Promise(resolve => setTimeout(resolve, 200));
  }
  console.log(`the search index had caught up ${((performance.now() - begun) / 1000).toFixed(1)} s later`);
}

async function visit(cookie: string): Promise<void> {
  const long = crypto.randomUUID();
  for (let at = 0; at < LONG; at += BATCH)
    await post(
      synap,
      Array.from({ length: BATCH }, (_, index) => message(long, at + index)),
    );
  await waitForIndex(cookie);

  const pages: [what: string, path: string][] = [
    ['first page', '/'],
    ['a page in the middle', `/?before=${CONVERSATIONS * TURNS}`],
    ['the last page', '/?before=300'],
    ['filter: a user', '/?user=user-7'],
    ['filter: a model that nearly all have', '/?model=usual-model'],
    ['filter: a model that 1 % have', '/?model=rare-model'],
    ['filter: a model of long ago', '/?model=old-model'],
    ['filter: 5 % that failed', '/?status=error'],
    ['filter: old, failed, of a customer', '/?model=old-model&status=error&customer=customer-20'],
    ['filter: two common ones that exclude each other', '/?status=error&customer=customer-7'],
    ['search: one place in all', '/?q=needle'],
    ['search: a word that all have', '/?q=people'],
    ['search: a rare word', '/?q=item4711'],
    ['search: a word in every conversation, on the last page', '/?q=people&before=2000'],
    ['search: two words and a rare filter', '/?q=people+water&model=old-model'],
    ['search: a user id', '/?q=user-99'],
    ['search: two letters', '/?q=zq'],
    ['search: nothing', '/?q=xyzzyplugh'],
    [`conversation of ${LONG} messages`, `/conversations/${long}`],
    ['its beginning', `/conversations/${long}?after=0`],
  ];
  console.log('| page | median ms | slowest ms | KiB |\n|---|--:|--:|--:|');
  for (const [what, path] of pages) {
    let size = 0;
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const begun = performance.now();
      size = (await get(path, cookie)).length;
      times.push(performance.now() - begun);
    }
    times.sort((a, b) => a - b);
    const at = (index: number) => times.at(index)?.toFixed(1);
    console.log(`| ${what} | ${at(ROUNDS >> 1)} | ${at(-1)} | ${(size / 1024).toFixed(0)} |`);
  }
}

async function signIn({ url, apiKey }: LocalSynap): Promise<string> {
  const response = await fetch(`${url}/session`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ key: apiKey }),
  });
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

async function get(path: string, cookie: string): Promise<string> {
  const response = await fetch(synap.url + path, { headers: { cookie, accept: 'text/html' } });
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
  return await response.text();
}

async function post({ url, apiKey }: LocalSynap, messages: object[]): Promise<void> {
  const response = await fetch(`${url}/v1/conversations/messages/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ messages }),
  });
  const { failed } = (await response.json()) as { failed: number };
  if (failed > 0) throw new Error('a message was refused');
}

async function median(times: number, work: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < times; round++) {
    const begun = performance.now();
    await work();
    taken.push(performance.now() - begun);
  }
  return taken.sort((a, b) => a - b)[times >> 1] ?? 0;
}
