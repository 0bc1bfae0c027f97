// Live updates of the viewer, in Chromium.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import * as ai from 'ai';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK } from 'synap-recorder/ai-sdk';
import { startLocalSynap } from 'synap-recorder-local';
import { scriptedModel } from 'synap-recorder-local/model';
import { expect, onTestFinished, test } from 'vitest';
import { openViewer, ready, record, said, scrollOf, start, tempDatabase, topOf, turn } from './support.ts';

test('a chat through streamText shows up in the list and in the open conversation while it goes on', async () => {
  const local = await start();
  const model = await scriptedModel(({ messages }) => ({ text: ['You said: ', String(messages.at(-1)?.content)] }));
  const recorder = createRecorder({
    baseUrl: local.url,
    apiKey: local.apiKey,
    userId: 'ada',
    rateLimit: false,
    batch: { lingerMs: 10 },
  });
  onTestFinished(async () => {
    await recorder.close();
    await model.close();
  });
  const { streamText } = wrapAISDK(ai, recorder);
  const provider = createOpenAICompatible({ name: 'scripted', baseURL: model.url, includeUsage: true });
  const chat = recorder.newConversation();
  const say = async (prompt: string) => {
    const synap = { conversationId: chat.conversationId };
    const { textStream } = streamText({ model: provider('scripted-mini'), prompt, providerOptions: { synap } });
    for await (const _ of textStream);
  };

  const list = await openViewer(local);
  await say('Why is the sky blue?');
  await list.locator('.row', { hasText: 'Why is the sky blue?' }).waitFor();
  await expect.poll(() => list.locator('.row .facts').innerText()).toMatch(/1 turn[\s\S]*scripted-mini/);

  const page = await openViewer(local, `/conversations/${chat.conversationId}`);
  expect(await page.locator('.message').count()).toBe(2);
  await say('And at sunset?');
  await page.locator('.assistant', { hasText: 'You said: And at sunset?' }).waitFor();
  expect(await page.locator('.message').count()).toBe(4);
  expect(await page.locator('.assistant').last().locator('footer').innerText()).toMatch(
    /scripted-mini[\s\S]*10 → 5 tokens/,
  );
  await expect.poll(() => page.locator('#about').innerText()).toContain('2 turns, 4 messages');
  await expect.poll(() => list.locator('.row .facts').innerText()).toContain('2 turns');
});

test('a reader further up is not moved, and sees how much is new', async () => {
  const local = await start();
  const { conversation_id } = said();
  await record(local, ...Array.from({ length: 60 }, (_, n) => said({ conversation_id, content: `message ${n}` })));
  const page = await openViewer(local, `/conversations/${conversation_id}`);
  await page.evaluate(() => scrollTo(0, 900));
  await expect.poll(() => scrollOf(page)).toBe(900);
  const inView = `#${await page.locator('.message').nth(20).getAttribute('id')}`;
  const before = await topOf(page, inView);

  await record(local, ...turn({ conversation_id, content: 'new' }, 'newer', { latency_ms: 1000, input_tokens: 5 }));
  await page.getByText('2 new messages', { exact: false }).last().waitFor();
  await record(local, said({ conversation_id, content: 'newest' }));
  await page.locator('#fresh', { hasText: '3 new messages' }).waitFor();
  expect(Math.abs((await topOf(page, inView)) - before)).toBeLessThan(3);

  await page.locator('#fresh').click();
  await expect.poll(() => page.locator('.message').last().isVisible()).toBe(true);
  await expect.poll(() => page.locator('.fresh').isHidden()).toBe(true);

  await record(local, said({ conversation_id, content: 'the very newest' }));
  const last = page.locator('.message', { hasText: 'the very newest' });
  await last.waitFor();
  await expect.poll(async () => ((await last.boundingBox())?.y ?? 9999) < 700).toBe(true);
});

test('the list stays where it is read, too, and takes what is new in when it is asked to', async () => {
  const local = await start();
  await record(local, ...Array.from({ length: 60 }, (_, n) => said({ content: `conversation ${n}` })));
  const page = await openViewer(local);
  await page.evaluate(() => scrollTo(0, 800));
  await expect.poll(() => scrollOf(page)).toBe(800);
  const inView = `#${await page.locator('.row').nth(12).getAttribute('id')}`;
  const before = await topOf(page, inView);
  await record(local, said({ content: 'fresh one' }), said({ content: 'fresh two' }));
  await page.locator('#fresh', { hasText: '2 new conversations' }).waitFor();
  expect(await topOf(page, inView)).toBe(before);
  expect(await page.locator('.row').count()).toBe(50);
  await page.keyboard.press('n');
  await expect.poll(() => page.locator('.row .opening').first().innerText()).toBe('fresh two');
  expect(await scrollOf(page)).toBe(0);
});

test('a filtered list gets only the updates that belong there', async () => {
  const local = await start();
  await record(local, said({ content: 'first', user_id: 'grace' }));
  const page = await openViewer(local, '/?user=grace');
  await record(local, said({ content: 'of ada', user_id: 'ada' }));
  await record(local, said({ content: 'of grace', user_id: 'grace' }));
  await page.locator('.row', { hasText: 'of grace' }).waitFor();
  expect(await page.locator('.row .opening').allInnerTexts()).toEqual(['of grace', 'first']);
});

test('a conversation that goes on comes to the top, once, and keeps the focus', async () => {
  const local = await start();
  const [a, b] = [said({ content: 'a' }), said({ content: 'b' })];
  await record(local, a, b);
  const page = await openViewer(local);
  await page.locator(`#c-${a.conversation_id} a`).focus();
  await record(local, { ...a, content: 'more' });
  await expect.poll(() => page.locator('.row .opening').allInnerTexts()).toEqual(['a', 'b']);
  expect(await page.evaluate(() => document.activeElement?.closest('.row')?.id)).toBe(`c-${a.conversation_id}`);
});

test('after a restart of the server the page goes on where it was, and misses nothing', async () => {
  const database = tempDatabase();
  const first = await startLocalSynap({ database });
  const port = Number(new URL(first.url).port);
  const { conversation_id } = said();
  await record(first, said({ conversation_id, content: 'before' }));
  const page = await openViewer(first, `/conversations/${conversation_id}`);
  await first.close();
  await page.locator('#live[data-state=waiting]').waitFor();

  // Somebody else writes while the page hears nothing.
  const between = await startLocalSynap({ database });
  await record(between, said({ conversation_id, content: 'between' }));
  await between.close();
  const second = await start({ database, port });
  await ready(page);
  await record(second, said({ conversation_id, content: 'after' }));
  await expect.poll(() => page.locator('.bubble').allInnerTexts()).toEqual(['before', 'between', 'after']);
  // While nobody answered, the browser said so.
  page.problems.length = 0;
});

test('what another process writes into the same file appears, too', async () => {
  const database = tempDatabase();
  const local = await start({ database });
  const page = await openViewer(local);
  await record(await start({ database }), said({ content: 'from next door' }));
  await page.locator('.row', { hasText: 'from next door' }).waitFor();
});

test('a page that missed a great deal offers to load itself anew', async () => {
  const local = await start();
  const { conversation_id } = said();
  await record(local, said({ conversation_id, content: 'first' }));
  const page = await openViewer(local, `/conversations/${conversation_id}`);
  await record(local, ...Array.from({ length: 500 }, (_, n) => said({ conversation_id, content: `message ${n}` })));
  await page.locator('#fresh', { hasText: 'Many new messages' }).click();
  await page.locator('.message', { hasText: 'message 499' }).waitFor();
});

test('somebody is forgotten from their conversation, and pages that are open elsewhere show it', async () => {
  const local = await start();
  const [adas, graces] = [said({ content: 'A secret' }), said({ content: 'A compiler', user_id: 'grace' })];
  await record(local, adas, graces);
  const list = await openViewer(local);
  const other = await openViewer(local, `/conversations/${adas.conversation_id}`);
  const page = await openViewer(local, `/conversations/${adas.conversation_id}`);
  await page.getByRole('link', { name: 'Forget' }).click();
  await page.getByRole('heading', { name: 'Forget ada?' }).waitFor();
  expect(await list.locator('.row').count()).toBe(2);
  await page.getByRole('button', { name: 'Forget ada' }).click();
  await page.getByText('1 message deleted.').waitFor();
  await expect.poll(() => list.locator('.row').allInnerTexts()).toEqual([expect.stringContaining('A compiler')]);
  await other.getByText('There is no conversation').waitFor();
  // They go on listening.
  await ready(list);
  await record(local, said({ content: 'Good morning', user_id: 'grace' }));
  await list.locator('.row', { hasText: 'Good morning' }).waitFor();
});
