// Signing in to the viewer, in Chromium.

import { expect, test } from 'vitest';
import { newPage, openViewer, record, said, start, tempDatabase } from './support.ts';

test('the link signs a browser in, and leaves no token in the address or in the history', async () => {
  const local = await start();
  await record(local, said({ content: 'secret-words' }));
  const page = await newPage();
  const link = local.viewerUrl();
  await page.goto(link);
  await page.locator('.row', { hasText: 'secret-words' }).waitFor();
  expect(page.url()).toBe(`${local.url}/`);
  await page.locator('.row a').click();
  await page.locator('.message').waitFor();
  await page.goBack();
  expect(page.url()).toBe(`${local.url}/`);
  const [cookie, ...more] = await page.context().cookies();
  expect(more).toEqual([]);
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/', domain: '127.0.0.1' });
  expect(link).not.toContain(cookie?.value);
});

test('a link works once: the second browser is asked to sign in, and can with the next link', async () => {
  const local = await start();
  await record(local, said({ content: 'secret-words' }));
  const link = local.viewerUrl();
  const first = await newPage();
  await first.goto(link);
  await first.locator('.row').waitFor();
  const other = await newPage();
  await other.goto(link);
  await other.locator('#sign-in-state', { hasText: 'was used before' }).waitFor();
  expect(await other.content()).not.toContain('secret-words');
  await other.goto(local.viewerUrl());
  await other.locator('.row', { hasText: 'secret-words' }).waitFor();
});

test('a browser without a link may give the API key, and gets where it wanted to go', async () => {
  const local = await start();
  const message = said({ content: 'secret-words' });
  await record(local, message);
  const page = await newPage();
  await page.goto(`${local.url}/conversations/${message.conversation_id}`);
  expect(await page.content()).not.toContain('secret-words');
  await page.fill('#key', 'wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  expect(await page.locator('#wrong-key').innerText()).toContain('not an API key');
  await page.fill('#key', local.apiKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.message', { hasText: 'secret-words' }).waitFor();
  expect(page.url()).toBe(`${local.url}/conversations/${message.conversation_id}`);
  expect(page.problems).toEqual([]);
});

test('a session outlives a restart, and ends when the API keys change', async () => {
  const database = tempDatabase();
  const first = await start({ database });
  const port = Number(new URL(first.url).port);
  const page = await openViewer(first);
  await page.goto('about:blank');
  await first.close();
  const second = await start({ database, port });
  await page.goto(second.url);
  expect(await page.locator('h1').innerText()).toBe('Conversations');
  await page.goto('about:blank');
  await second.close();
  const third = await start({ database, port, apiKeys: ['another-key'] });
  await page.goto(third.url);
  expect(await page.locator('h1').innerText()).toBe('Sign in');
});

test('a reader who follows a link from another site is signed in all the same', async () => {
  const local = await start();
  await record(local, said({ content: 'secret-words' }));
  const page = await openViewer(local);
  await page.route('http://issues.example/', route =>
    route.fulfill({ contentType: 'text/html', body: `<a href="${local.url}/?user=ada">the conversation</a>` }),
  );
  await page.goto('http://issues.example/');
  await page.getByText('the conversation').click();
  await page.locator('.row', { hasText: 'secret-words' }).waitFor();
  expect(page.url()).toBe(`${local.url}/?user=ada`);
});

test('a server that others can reach asks for the same', async () => {
  const local = await start({ host: '0.0.0.0', allowedHosts: ['synap.localhost'] });
  await record(local, said({ content: 'secret-words' }));
  const url = local.url.replace('127.0.0.1', 'synap.localhost');
  const page = await newPage();
  await page.goto(url);
  expect(await page.locator('h1').innerText()).toBe('Sign in');
  await page.goto(local.viewerUrl().replace('127.0.0.1', 'synap.localhost'));
  await page.locator('.row', { hasText: 'secret-words' }).waitFor();
});
