// Takes the pictures of the viewer for the README, into docs/: a list and a conversation, light and dark, and a phone.
//
//   npm run build && node scripts/screenshots.ts        needs Chromium: apt-get install chromium

import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { type LocalSynap, startLocalSynap } from 'synap-recorder-local';
import { CHROMIUM } from '../local/test/viewer/browser/chromium.ts';
import { FEATURED, OTHERS, type SampleConversation, type SampleTurn } from './screenshots/conversations.ts';

const docs = fileURLToPath(new URL('../docs', import.meta.url));
const MINUTE = 60_000;
// A pause between two turns, as people make them.
const TURN_MS = 1.5 * MINUTE;

const RealDate = Date;

/** Lets the store think that it is another time, so that the list looks like weeks of use. */
async function at<T>(time: number, work: () => Promise<T>): Promise<T> {
  globalThis.Date = class extends RealDate {
    constructor(given: number = time) {
      super(given);
    }
  } as DateConstructor;
  try {
    return await work();
  } finally {
    globalThis.Date = RealDate;
  }
}

const synap = await startLocalSynap();
const browser = await chromium.launch(CHROMIUM);
mkdirSync(docs, { recursive: true });
try {
  const conversations = [FEATURED, ...OTHERS].sort((a, b) => b.minutesAgo - a.minutesAgo);
  const ids = new Map<SampleConversation, string>();
  for (const conversation of conversations) ids.set(conversation, await tell(synap, conversation));
  const featured = `/conversations/${ids.get(FEATURED)}`;
  for (const colorScheme of ['light', 'dark'] as const) {
    await take(browser, '/', `viewer-list-${colorScheme}.png`, { colorScheme, width: 1100, height: 900 });
    await take(browser, featured, `viewer-conversation-${colorScheme}.png`, { colorScheme, width: 1100, height: 1320 });
  }
  await take(browser, featured, 'viewer-phone.png', { colorScheme: 'light', width: 360, height: 780 });
} finally {
  await browser.close();
  await synap.close();
}

interface Shot {
  colorScheme: 'light' | 'dark';
  width: number;
  height: number;
}

async function take(browser: Browser, path: string, file: string, { colorScheme, width, height }: Shot): Promise<void> {
  const page = await browser.newPage({ colorScheme, viewport: { width, height }, locale: 'en-GB' });
  await page.goto(synap.viewerUrl());
  await page.locator('#live[data-state=live]').waitFor();
  await page.goto(synap.url + path);
  await page.locator('#live[data-state=live]').waitFor();
  await page.screenshot({ path: `${docs}/${file}` });
  await page.close();
}

/** Records a conversation as an app would, and answers its id. */
async function tell(synap: LocalSynap, { user, customer, minutesAgo, turns }: SampleConversation): Promise<string> {
  const conversationId = crypto.randomUUID();
  for (const [index, turn] of turns.entries()) {
    const end = Date.now() - minutesAgo * MINUTE - (turns.length - 1 - index) * TURN_MS;
    const who = { conversation_id: conversationId, user_id: user, customer_id: customer };
    await at(end, () => record(synap, messagesOf(turn, end, who)));
  }
  return conversationId;
}

function messagesOf(turn: SampleTurn, end: number, who: object): object[] {
  const { latencyMs = 1800, firstTokenMs = 420, tokens = [900, 120], status = 'complete' } = turn;
  const turnId = crypto.randomUUID();
  const started = new RealDate(end - latencyMs).toISOString();
  const common = { turn_id: turnId, framework: 'ai-sdk', started_at: started };
  const user = { ...common, ...(turn.attachments && { attachments: turn.attachments }) };
  const answer = {
    ...common,
    model: turn.model ?? 'gpt-5-mini',
    provider: 'openai',
    latency_ms: latencyMs,
    time_to_first_token_ms: firstTokenMs,
    input_tokens: tokens[0],
    output_tokens: tokens[1],
    finish_reason: status === 'complete' ? 'stop' : undefined,
    status,
    error: turn.error,
    tool_calls: turn.tools,
    ended_at: new RealDate(end).toISOString(),
  };
  return [
    { ...who, role: 'user', content: turn.user, metadata: user },
    ...(turn.answer === undefined ? [] : [{ ...who, role: 'assistant', content: turn.answer, metadata: answer }]),
  ];
}

async function record({ url, apiKey }: LocalSynap, messages: object[]): Promise<void> {
  const response = await fetch(`${url}/v1/conversations/messages/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ messages }),
  });
  const { failed } = (await response.json()) as { failed: number };
  if (failed > 0) throw new Error(`${failed} messages of the sample were refused`);
}
