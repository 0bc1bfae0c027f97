// The page of one conversation, in Chromium.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openViewer, ready, record, said, scrollOf, start, topOf, turn } from './support.ts';

const pathOf = ({ conversation_id }: { conversation_id: string }) => `/conversations/${conversation_id}`;

test('a conversation reads as a chat, and each answer shows its metadata', async () => {
  const local = await start();
  const [prompt, answer] = turn(
    {
      content: 'Look at **this**\n```js\nlet a = "<b>";\n```',
      metadata: { attachments: [{ media_type: 'image/png', filename: 'sky.png', url: 'https://example.com/sky.png' }] },
    },
    '## Blue\n\nIt *scatters*: `a < b`, see [the page](https://example.com/) and ![a chart](https://example.com/c.png)',
    {
      model: 'gpt-5-mini',
      latency_ms: 3400,
      time_to_first_token_ms: 610,
      input_tokens: 1200,
      output_tokens: 168,
      tool_calls: ['search_web', 'run_query'],
    },
  );
  await record(local, prompt, answer);
  const page = await openViewer(local, pathOf(prompt));
  const user = page.locator('.message.user');
  const assistant = page.locator('.message.assistant');

  expect(await user.locator('code').innerText()).toContain('let a = "<b>";');
  expect(await user.locator('.bubble p').innerText()).toContain('**this**');
  expect(await user.locator('.attachments a').getAttribute('href')).toBe('https://example.com/sky.png');
  expect(await assistant.locator('h3').innerText()).toBe('Blue');
  expect(await assistant.locator('em').innerText()).toBe('scatters');
  for (const link of await assistant.locator('.bubble a').all())
    expect(await link.getAttribute('rel')).toContain('noopener noreferrer');
  expect(await assistant.locator('a.image').innerText()).toContain('a chart');
  expect(await page.locator('img').count()).toBe(0);
  const line = await assistant.locator('footer').innerText();
  for (const text of ['gpt-5-mini', '3.4 s', '610 ms to first token', '1,200 → 168 tokens', 'search_web', 'run_query'])
    expect(line).toContain(text);
  expect(await assistant.locator('svg.latency-bar').count()).toBe(1);
  expect(await page.locator('svg.chart').evaluateAll(charts => charts.map(c => c.getAttribute('aria-label')))).toEqual([
    'Latency of 1 answer: median 3.4 s, longest 3.4 s',
    'Tokens of 1 answer: 1,368 in all',
  ]);
});

test('turns that failed, were aborted, or had no answer are plain to see', async () => {
  const local = await start();
  const [first, failed] = turn({ content: 'one' }, 'so far', { status: 'error', error: 'APICallError: 503' });
  const [second, aborted] = turn({ ...first, content: 'two' }, 'half', { status: 'aborted' });
  const turnId = (turn_id: string) => ({ metadata: { turn_id } });
  const unanswered = said({ ...first, content: 'three', ...turnId('3') });
  await record(local, first, failed, second, aborted, unanswered, said({ ...first, content: 'four', ...turnId('4') }));
  const page = await openViewer(local, pathOf(first));
  expect(await page.locator('.message.error .status').innerText()).toBe('Failed');
  expect(await page.locator('.message.error .problem').innerText()).toBe('APICallError: 503');
  expect(await page.locator('.message.aborted .status').innerText()).toBe('Aborted');
  const noAnswer = page.locator('.message', { hasText: 'No answer recorded' });
  expect(await noAnswer.locator('.bubble').allInnerTexts()).toEqual(['three']);
});

test('a message shows its JSON when it is asked to, and hides it again', async () => {
  const local = await start();
  const [prompt, answer] = turn({}, 'Hi!', { tag: { deep: ['<script>alert(1)</script>'] } });
  await record(local, prompt, answer);
  const page = await openViewer(local, pathOf(prompt));
  const button = page.locator('.assistant').getByLabel('Show as JSON');
  await button.click();
  const json = JSON.parse(await page.locator('.assistant pre.raw').innerText());
  expect(json).toMatchObject({ role: 'assistant', content: 'Hi!', metadata: answer.metadata });
  expect(await button.getAttribute('aria-expanded')).toBe('true');
  await button.click();
  expect(await page.locator('pre.raw').count()).toBe(0);
});

test('a conversation, a message and a piece of code can be copied, and the conversation be downloaded', async () => {
  const local = await start();
  const [prompt, answer] = turn({ content: 'Code?' }, 'Here:\n```js\nlet a = 1;\n```', { model: 'gpt-5' });
  await record(local, prompt, answer);
  const page = await openViewer(local, pathOf(prompt), { permissions: ['clipboard-read', 'clipboard-write'] });
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());

  await page.keyboard.press('c');
  await expect.poll(clipboard).toContain('**Assistant (gpt-5)**');
  for (const text of [`# Conversation ${prompt.conversation_id}`, '**User ada**', 'Code?', 'let a = 1;'])
    expect(await clipboard()).toContain(text);
  await page.locator('.assistant').getByLabel('Copy the text').click();
  await expect.poll(clipboard).toBe(answer.content);
  await page.locator('figure.code button').click();
  await expect.poll(clipboard).toBe('let a = 1;\n');

  const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('JSONL').click()]);
  expect(download.suggestedFilename()).toBe(`conversation-${prompt.conversation_id}.jsonl`);
  const lines = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\n');
  expect(lines.map(line => JSON.parse(line))).toMatchObject([{ role: 'user' }, { role: 'assistant' }]);
});

test('a conversation of ten thousand messages opens at its end, and the earlier ones come without a jump', async () => {
  const local = await start();
  const { conversation_id } = said();
  await record(
    local,
    ...Array.from({ length: 5000 }, (_, n) =>
      turn({ conversation_id, content: `question ${n}` }, `answer ${n}`, { latency_ms: 1000 + n, input_tokens: n }),
    ).flat(),
  );
  const page = await openViewer(local, `/conversations/${conversation_id}`);
  const messages = page.locator('.message');
  expect(await messages.count()).toBe(100);
  expect(await messages.last().locator('.bubble').innerText()).toBe('answer 4999');
  await expect.poll(() => scrollOf(page)).toBeGreaterThan(1000);
  expect(await page.locator('svg.chart').first().locator('g').count()).toBeLessThanOrEqual(120);

  const earlier = page.locator('#earlier');
  expect(await earlier.innerText()).toContain('9,900');
  await earlier.scrollIntoViewIfNeeded();
  const oldest = `#${await messages.first().getAttribute('id')}`;
  const before = await topOf(page, oldest);
  await earlier.click();
  await expect.poll(() => messages.count()).toBe(200);
  expect(Math.abs((await topOf(page, oldest)) - before)).toBeLessThan(4);
  expect(await earlier.innerText()).toContain('9,800');

  await page.goto(`${local.url}/conversations/${conversation_id}?after=0`);
  await ready(page);
  expect(await messages.first().locator('.bubble').innerText()).toBe('question 0');
  await page.locator('#later').click();
  await expect.poll(() => messages.count()).toBe(200);
  expect(await messages.last().locator('.bubble').innerText()).toBe('answer 99');
});

test('a conversation that does not exist gets a page that says so', async () => {
  const local = await start();
  const page = await openViewer(local);
  await page.goto(`${local.url}/conversations/0a0b0c0d-1111-4222-8333-abcdefabcdef`);
  expect(await page.locator('h1').innerText()).toBe('Not found');
});
