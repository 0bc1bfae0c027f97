// The list of conversations, in Chromium: search, filters, pages, keys.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openViewer, ready, record, said, start, turn } from './support.ts';

test('the conversations are there, the newest first, each with whose it is, its turns, its models and its end', async () => {
  const local = await start();
  const first = turn({ content: 'Why is the sky blue?', user_id: 'ada', customer_id: 'acme' }, 'Air scatters light.', {
    model: 'gpt-5-mini',
  });
  const again = turn({ ...first[0], content: 'And at sunset?' }, 'The way is', {
    model: 'claude-x',
    status: 'aborted',
  });
  const other = turn({ content: 'Who was Ada?', user_id: 'grace', customer_id: 'navy' }, '', {
    status: 'error',
    model: 'gpt-5',
  });
  await record(local, ...first, ...other, ...again);
  const page = await openViewer(local);

  const [newest, oldest, ...more] = await page.locator('.row').allInnerTexts();
  expect(more).toEqual([]);
  for (const text of [
    'Why is the sky blue?',
    'ada',
    'acme',
    '2 turns',
    'gpt-5-mini',
    'claude-x',
    'Aborted',
    'just now',
  ])
    expect(newest).toContain(text);
  for (const text of ['Who was Ada?', 'grace', 'navy', '1 turn', 'gpt-5', 'Failed']) expect(oldest).toContain(text);
});

test('a search finds what was said and the ids, marks it, and leads to the message', async () => {
  const local = await start();
  const sky = turn({ content: 'Why is the sky blue?' }, 'Rayleigh scattering, mostly.');
  const long = Array.from({ length: 150 }, (_, index) =>
    said({ conversation_id: sky[0].conversation_id, content: `filler ${index}` }),
  );
  await record(local, ...sky, ...long, said({ content: 'Something else', user_id: 'grace-hopper' }));
  const page = await openViewer(local);

  await page.keyboard.press('/');
  await page.keyboard.type('rayleigh SCATT');
  await page.keyboard.press('Enter');
  await page.waitForURL(/q=rayleigh/);
  expect(await page.locator('.row').count()).toBe(1);
  expect(await page.locator('.row mark').allInnerTexts()).toEqual(['Rayleigh', 'scatt']);
  await page.locator('.row a').click();
  await page.locator('.message.sought').waitFor();
  expect(await page.locator('.message.sought').innerText()).toContain('Rayleigh scattering');
  await expect
    .poll(() => page.locator('.message.sought').evaluate(e => e.getBoundingClientRect().top))
    .toBeLessThan(700);

  await page.goto(`${local.url}/?q=hopper`);
  expect(await page.locator('.row .who').allInnerTexts()).toEqual([expect.stringContaining('grace-hopper')]);
  await page.goto(`${local.url}/?q=${sky[0].conversation_id.slice(0, 18)}`);
  expect(await page.locator('.row').count()).toBe(1);
  await page.goto(`${local.url}/?q=nowhere`);
  expect(await page.locator('.nothing').innerText()).toContain('No conversation matches');
});

test('the list can be narrowed to a user, a customer, a model and a status, and all of it be cleared', async () => {
  const local = await start();
  await record(
    local,
    ...turn({ content: 'one', user_id: 'ada', customer_id: 'acme' }, 'a', { model: 'gpt-5' }),
    ...turn({ content: 'two', user_id: 'ada', customer_id: 'navy' }, 'b', { model: 'gpt-5', status: 'error' }),
    ...turn({ content: 'three', user_id: 'grace', customer_id: 'navy' }, 'c', { model: 'claude-x' }),
  );
  const page = await openViewer(local);
  const openings = () => page.locator('.row .opening').allInnerTexts();

  await page.selectOption('select[name=status]', 'error');
  await page.waitForURL(/\?status=error$/);
  expect(await openings()).toEqual(['two']);
  await page.getByText('Clear').click();
  await page.waitForURL(/\/$/);
  await ready(page);
  await page.selectOption('select[name=model]', 'claude-x');
  await page.waitForURL(/model=claude-x/);
  expect(await openings()).toEqual(['three']);

  await page.goto(local.url);
  await ready(page);
  const user = page.locator('input[name=user]');
  await user.fill('a');
  await expect
    .poll(() => page.locator('#known-user option').evaluateAll(all => all.map(o => (o as HTMLOptionElement).value)))
    .toEqual(['ada']);
  await user.fill('ada');
  await user.press('Enter');
  await page.waitForURL(/user=ada/);
  expect(await openings()).toEqual(['two', 'one']);
  await page.goto(`${local.url}/?user=ada&customer=acme`);
  expect(await openings()).toEqual(['one']);
});

test('a long list has pages, each conversation on one of them, with the filters kept', async () => {
  const local = await start();
  const many = Array.from({ length: 130 }, (_, index) => said({ content: `number ${index}`, user_id: 'ada' }));
  await record(local, ...many, said({ content: 'of grace', user_id: 'grace' }));
  const page = await openViewer(local, '/?user=ada');
  const seen: string[] = [];
  for (let pages = 1; ; pages++) {
    seen.push(...(await page.locator('.row .opening').allInnerTexts()));
    const older = page.locator('.pages a[rel=next]');
    if ((await older.count()) === 0) {
      expect(pages).toBe(3);
      break;
    }
    await older.click();
    await page.waitForURL(/user=ada&before=/);
  }
  expect(seen).toEqual(many.map(message => message.content).reverse());
});

test('keys go through the list, open a conversation, lead back, and tell about themselves', async () => {
  const local = await start();
  await record(local, said({ content: 'older' }), said({ content: 'newer' }));
  const page = await openViewer(local);
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim());

  await page.keyboard.press('j');
  expect(await focused()).toBe('newer');
  await page.keyboard.press('ArrowDown');
  expect(await focused()).toBe('older');
  await page.keyboard.press('k');
  expect(await focused()).toBe('newer');
  await page.keyboard.press('Enter');
  await page.locator('.message').waitFor();
  await ready(page);
  await page.keyboard.press('u');
  await page.locator('.row').first().waitFor();
  await ready(page);

  await page.keyboard.press('?');
  expect(await page.locator('dialog').isVisible()).toBe(true);
  await page.keyboard.press('Escape');
  expect(await page.locator('dialog').isVisible()).toBe(false);
  await page.keyboard.press('/');
  await page.keyboard.type('j?');
  expect(await page.locator('#q').inputValue()).toBe('j?');
});

test('what the list shows can be downloaded, a message a line', async () => {
  const local = await start();
  await record(
    local,
    ...turn({ content: 'mine', user_id: 'ada' }, 'yes'),
    said({ content: 'other', user_id: 'grace' }),
  );
  const page = await openViewer(local, '/?user=ada');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('JSONL').click()]);
  expect(download.suggestedFilename()).toBe('conversations.jsonl');
  const lines = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\n');
  expect(lines.map(line => JSON.parse(line).content)).toEqual(['mine', 'yes']);
});
