// Forgetting somebody in the viewer: it asks first, only for its own pages, and open pages learn of it.

import { expect, test } from 'vitest';
import type { LocalSynap } from '../../src/index.js';
import { aMessage, call, readConversation, record, start } from '../support.js';
import { BROWSER, send, signIn } from './requests.js';

async function signedIn() {
  const local = await start();
  const message = aMessage({ user_id: '<b>ada</b>', content: 'secret-words' });
  await record(local, message);
  const cookie = (await signIn(local)) ?? '';
  return { local, cookie, id: message.conversation_id };
}

const post = (local: LocalSynap, headers: Record<string, string>, user = '<b>ada</b>') =>
  send(local, '/forget', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...BROWSER, ...headers },
    body: new URLSearchParams({ user_id: user }).toString(),
  });

const FORGET = `/forget?${new URLSearchParams({ user_id: '<b>ada</b>' })}`;

test('a conversation and a list of one user lead to a page that says what would be deleted, and deletes nothing', async () => {
  const { local, cookie, id } = await signedIn();
  const headers = { cookie, ...BROWSER };
  for (const path of [`/conversations/${id}`, `/?${new URLSearchParams({ user: '<b>ada</b>' })}`])
    expect((await send(local, path, { headers })).text).toContain(`href="${FORGET}"`);
  const { status, text } = await send(local, FORGET, { headers });
  expect(status).toBe(200);
  expect(text).toContain('1 message, questions and answers, in 1 conversation');
  expect(text).not.toContain('<b>ada');
  expect((await readConversation(local, id)).status).toBe(200);
});

test('its button deletes', async () => {
  const { local, cookie, id } = await signedIn();
  const { status, text } = await post(local, { cookie, origin: local.url, 'sec-fetch-site': 'same-origin' });
  expect(status).toBe(200);
  expect(text).toContain('1 message deleted.');
  expect((await readConversation(local, id)).status).toBe(404);
  expect((await call(local, 'GET', '/v1/conversations')).body.conversations).toEqual([]);
});

test('without a session, from another origin, or under another name nothing is deleted', async () => {
  const { local, cookie, id } = await signedIn();
  const follows = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  expect((await post(local, {})).status).toBe(401);
  expect((await post(local, { authorization: `Bearer ${local.apiKey}` })).status).toBe(401);
  for (const site of ['cross-site', 'same-site'])
    expect((await post(local, { cookie, 'sec-fetch-site': site, ...follows })).status).toBe(403);
  for (const origin of ['http://evil.example', 'http://127.0.0.1:1', 'null'])
    expect((await post(local, { cookie, origin })).status).toBe(403);
  expect((await post(local, { cookie, host: 'evil.example' })).status).toBe(403);
  expect((await post(local, { cookie, 'content-type': 'text/plain' })).status).toBe(415);
  expect((await post(local, { cookie }, '')).status).toBe(422);
  expect((await readConversation(local, id)).status).toBe(200);
});

/** The first event of one of the names that a stream has. */
async function firstEvent(local: LocalSynap, cookie: string, path: string, meanwhile = async () => {}) {
  const response = await fetch(local.url + path, { headers: { cookie } });
  expect(response.status).toBe(200);
  await meanwhile();
  let text = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    const [, event] = /^event: (\w+)$/m.exec(text) ?? [];
    if (event) return event;
  }
  return undefined;
}

const eventsOf = (page: string) => /data-events="([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? '';

test('open pages learn that somebody is gone, at once or when they come back', async () => {
  const { local, cookie, id } = await signedIn();
  const headers = { cookie, ...BROWSER };
  const paths = await Promise.all(
    ['/', `/conversations/${id}`].map(async path => eventsOf((await send(local, path, { headers })).text)),
  );
  expect(paths).toEqual(['/events?forgettings=0', `/conversations/${id}/events?forgettings=0`]);
  const forget = async () => void (await call(local, 'DELETE', `/v1/users/${encodeURIComponent('<b>ada</b>')}`));
  expect(await firstEvent(local, cookie, paths[0] ?? '', forget)).toBe('gone');
  for (const path of paths) expect(await firstEvent(local, cookie, path)).toBe('gone');
  const now = eventsOf((await send(local, '/', { headers })).text);
  expect(now).toBe('/events?forgettings=1');
});
