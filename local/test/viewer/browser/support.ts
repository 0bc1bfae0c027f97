// Opens the viewer in Chromium, and watches for problems on the page.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { type LocalSynap, type LocalSynapOptions, startLocalSynap } from 'synap-recorder-local';
import { afterAll, expect, onTestFinished } from 'vitest';
import { CHROMIUM } from './chromium.ts';

let launched: Promise<Browser> | undefined;

/** One Chromium a file of tests. */
function browser(): Promise<Browser> {
  launched ??= chromium.launch(CHROMIUM);
  return launched;
}

afterAll(async () => {
  await (await launched)?.close();
  launched = undefined;
});

export async function start(options: LocalSynapOptions = {}): Promise<LocalSynap> {
  const local = await startLocalSynap(options);
  onTestFinished(() => local.close());
  return local;
}

/** A file for a database, gone after the test. */
export function tempDatabase(): string {
  const folder = mkdtempSync(join(tmpdir(), 'synap-viewer-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'synap.db');
}

/** A window of a browser that nobody has used, and what went wrong in it: errors, and what the page's policy refused. */
export async function newPage(options: BrowserContextOptions = {}): Promise<Page & { problems: string[] }> {
  const context = await (await browser()).newContext({ viewport: { width: 1000, height: 700 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const problems: string[] = [];
  page.on('pageerror', error => problems.push(String(error)));
  page.on('console', message => {
    // A browser that isn't signed in, and an address of nothing, are answered with a page of their own.
    const expected = /the server responded with a status of 40[134]/.test(message.text());
    if (message.type() === 'error' && !expected) problems.push(message.text());
  });
  page.on('dialog', async dialog => {
    problems.push(`a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  return Object.assign(page, { problems });
}

/** A window that is signed in, on `path`. */
export async function openViewer(local: LocalSynap, path = '/', options: BrowserContextOptions = {}) {
  const page = await newPage(options);
  await page.goto(local.viewerUrl());
  await page.locator('#rows').waitFor({ state: 'attached' });
  if (path !== '/') await page.goto(local.url + path);
  await ready(page);
  onTestFinished(() => expect(page.problems).toEqual([]));
  return page;
}

/** Waits until a page's script runs and, where the page has a stream of events, reads it. */
export async function ready(page: Page): Promise<void> {
  await page.locator('html:not(:has([data-events])), html:has(#live[data-state=live])').waitFor({ state: 'attached' });
}

export interface Said {
  conversation_id: string;
  role: 'user' | 'assistant';
  content: string;
  user_id: string;
  customer_id?: string;
  session_id?: string;
  metadata?: Record<string, unknown>;
}

export function said(fields: Partial<Said> = {}): Said {
  return { conversation_id: crypto.randomUUID(), role: 'user', content: 'Hello!', user_id: 'ada', ...fields };
}

/** A prompt and its answer. */
export function turn(fields: Partial<Said>, answer: string, metadata: Record<string, unknown> = {}): [Said, Said] {
  const user = said(fields);
  return [user, { ...user, role: 'assistant', content: answer, metadata: { status: 'complete', ...metadata } }];
}

export async function record(local: Pick<LocalSynap, 'url' | 'apiKey'>, ...messages: Said[]): Promise<void> {
  for (let at = 0; at < messages.length; at += 1000) {
    const response = await fetch(`${local.url}/v1/conversations/messages/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${local.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: messages.slice(at, at + 1000) }),
    });
    const { failed } = (await response.json()) as { failed: number };
    if (failed > 0) throw new Error(`${failed} messages were refused`);
  }
}

export const scrollOf = (page: Page) => page.evaluate(() => Math.round(scrollY));

/** Where an element stands in the window. */
export const topOf = async (page: Page, selector: string) =>
  Math.round((await page.locator(selector).boundingBox())?.y ?? Number.NaN);
