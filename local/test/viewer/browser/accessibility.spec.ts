// The viewer for everybody: axe-core, phones, keyboards, colours.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { newPage, openViewer, ready, record, said, start, turn } from './support.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Axe {
  run(options: object): AxeResults;
}

/** What axe-core finds wrong with a page, each with where. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    // Headings that an answer skips are the model's to skip.
    (window as unknown as { axe: Axe }).axe.run({ rules: { 'heading-order': { enabled: false } } }),
  );
  return violations.map(
    ({ id, impact, nodes }) => `${impact}: ${id} at ${nodes.map(({ target }) => target).join(' ')}`,
  );
}

async function filled() {
  const local = await start();
  const [prompt, answer] = turn(
    {
      content: 'Look:\n```js\nlet a;\n```',
      metadata: { attachments: [{ filename: 'a.png', url: 'https://a.example' }] },
    },
    `# One\n\n### Two\n\n| a | b |\n|--|--:|\n| 1 | 2 |\n\n- [x](https://example.com) \`code\`\n\n> quoted\n\n${'wide '.repeat(9)}\n\n    ${'x'.repeat(300)}`,
    {
      model: 'gpt-5',
      latency_ms: 4000,
      time_to_first_token_ms: 400,
      input_tokens: 9,
      tool_calls: ['a_tool_with_a_name'],
    },
  );
  const failed = turn({ ...prompt, content: 'again' }, 'half', { status: 'error', error: 'TypeError: x'.repeat(30) });
  const aborted = turn({ ...prompt, content: 'w'.repeat(400) }, 'half', { status: 'aborted' });
  const abandoned = turn({ content: 'o'.repeat(400), user_id: 'u'.repeat(300) }, 'half', {
    status: 'abandoned',
    model: 'm'.repeat(150),
    tool_calls: ['t'.repeat(200)],
  });
  await record(local, prompt, answer, ...failed, ...aborted, ...abandoned);
  const paths = ['/', '/?q=code', '/?user=nobody', `/conversations/${prompt.conversation_id}`];
  const asks = ['/?user=ada', '/forget?user_id=ada', '/forget?user_id=nobody'];
  return { local, paths: [...paths, ...asks, `/conversations/${abandoned[0].conversation_id}`] };
}

test.each(['light', 'dark'] as const)(
  'axe-core finds nothing wrong with any page, in the %s colours',
  async colorScheme => {
    const { local, paths } = await filled();
    const page = await openViewer(local, '/', { colorScheme });
    for (const path of paths) {
      await page.goto(local.url + path);
      await ready(page);
      expect(await findings(page), path).toEqual([]);
    }
    await page.locator('[data-raw]').first().dispatchEvent('click');
    await page.locator('pre.raw').waitFor();
    await page.keyboard.press('?');
    expect(await findings(page)).toEqual([]);

    const stranger = await newPage({ colorScheme });
    await stranger.goto(local.url);
    expect(await findings(stranger)).toEqual([]);
  },
);

test('axe-core is not asleep', async () => {
  const page = await openViewer(await start());
  await page.evaluate(() => {
    document.querySelector('label[for=q]')?.remove();
    document.querySelector('#q')?.removeAttribute('placeholder');
  });
  expect(await findings(page)).toEqual([expect.stringContaining('critical: label at #q')]);
});

test('every page fits a phone of 360 pixels, whatever was recorded', async () => {
  const { local, paths } = await filled();
  const page = await openViewer(local, '/', { viewport: { width: 360, height: 740 }, hasTouch: true });
  for (const path of paths) {
    await page.goto(local.url + path);
    await ready(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(360);
    const outside = await page.locator('main *').evaluateAll(elements =>
      elements
        .filter(element => !element.closest('pre, .table, .unseen, svg, .row .facts, .row .opening'))
        .filter(element => element.getBoundingClientRect().right > 361)
        .map(element => element.outerHTML.slice(0, 100)),
    );
    expect(outside, path).toEqual([]);
  }
});

test('every control can be reached with the Tab key, and shows that it has the focus', async () => {
  const { local, paths } = await filled();
  const page = await openViewer(local, paths[3]);
  const controls = await page.locator('a, button, input, select, pre, .table').filter({ visible: true }).count();
  const reached = new Set<string>();
  for (let presses = 0; presses < 2 * controls; presses++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const { outlineStyle, outlineWidth, opacity } = getComputedStyle(element);
      const tools = element.closest('.tools');
      return {
        key: `${element.tagName} ${element.className} ${element.textContent?.slice(0, 20)} ${element.offsetTop} ${element.offsetLeft}`,
        onBody: element === document.body,
        seen: outlineStyle !== 'none' && outlineWidth !== '0px' && opacity !== '0',
        tools: tools === null ? '1' : getComputedStyle(tools).opacity,
      };
    });
    if (focused.onBody) continue;
    expect(focused).toMatchObject({ seen: true, tools: '1' });
    reached.add(focused.key);
  }
  expect(reached.size).toBeGreaterThan(20);
});

test('colours follow the system, until the reader chooses others, which last', async () => {
  const local = await start();
  await record(local, said());
  const page = await openViewer(local, '/', { colorScheme: 'dark' });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await ground();
  expect(light).not.toBe(dark);

  await page.locator('#theme').click();
  await page.locator('#theme').click();
  expect(await ground()).toBe(dark);
  await page.reload();
  await ready(page);
  expect(await ground()).toBe(dark);
  await page.keyboard.press('t');
  expect(await ground()).toBe(light);
});

test('live updates are announced to screen readers', async () => {
  const local = await start();
  const { conversation_id } = said();
  await record(local, said({ conversation_id }));
  const page = await openViewer(local, `/conversations/${conversation_id}`);
  await record(local, said({ conversation_id, content: 'more' }));
  await expect.poll(() => page.locator('[aria-live=polite]#said').innerText()).toBe('A new message');
});
