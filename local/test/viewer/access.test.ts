// Who gets into the viewer: link, session, API key, origins, headers.

import { expect, test, vi } from 'vitest';
import { aMessage, record, start, tempDatabase } from '../support.js';
import { BROWSER, cookieOf, send, signIn, tokenOf } from './requests.js';

const SECRET = 'secret-words';

async function withMessage() {
  const local = await start();
  const message = aMessage({ content: SECRET });
  await record(local, message);
  const conversation = `/conversations/${message.conversation_id}`;
  const paths = [
    '/',
    '/?q=secret',
    '/events?after=0',
    '/export.jsonl',
    '/known/user?text=',
    conversation,
    `${conversation}/events?after=0`,
    `${conversation}/transcript.md`,
    `${conversation}/transcript.jsonl`,
    `${conversation}/messages/1`,
    `${conversation}/messages/1/content`,
    '/forget?user_id=ada',
  ];
  return { local, paths };
}

test('without a session there is no page, no file and no stream, only a page to sign in on', async () => {
  const { local, paths } = await withMessage();
  for (const path of paths) {
    const page = await send(local, path, { headers: BROWSER });
    expect(page.status, path).toBe(401);
    expect(page.text).toContain('<h1>Sign in</h1>');
    expect(page.text).not.toContain(SECRET);
    const other = await send(local, path);
    expect(other.status, path).toBe(401);
    expect(JSON.parse(other.text)).toEqual({ detail: 'Sign in first' });
  }
});

test('the API key lets nobody into the viewer, nor the session into the API', async () => {
  const { local } = await withMessage();
  expect((await send(local, '/', { headers: { authorization: `Bearer ${local.apiKey}` } })).status).toBe(401);
  const cookie = (await signIn(local)) ?? '';
  expect((await send(local, '/', { headers: { cookie } })).status).toBe(200);
  expect((await send(local, '/v1/conversations', { headers: { cookie } })).status).toBe(401);
});

test('the token of a link is good once; a cookie is what it is exchanged for', async () => {
  const { local, paths } = await withMessage();
  const token = tokenOf(local.viewerUrl());
  const cookie = (await signIn(local, token)) ?? '';
  for (const path of paths.filter(path => !path.includes('events')))
    expect((await send(local, path, { headers: { cookie, ...BROWSER } })).status, path).toBe(200);
  expect(await signIn(local, token)).toBeUndefined();
  for (const wrong of ['', 'x', token.slice(1), local.apiKey]) expect(await signIn(local, wrong)).toBeUndefined();
  const links = [local.viewerUrl(), local.viewerUrl()];
  for (const link of links) expect(await signIn(local, tokenOf(link))).toBeDefined();
});

test('the cookie is for this server and its own pages only, and not for scripts', async () => {
  const { local } = await withMessage();
  const { headers } = await send(local, '/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: tokenOf(local.viewerUrl()) }),
  });
  const [header = ''] = headers['set-cookie'] ?? [];
  expect(header.split('; ').slice(1).sort()).toEqual(['HttpOnly', 'Max-Age=604800', 'Path=/', 'SameSite=Strict']);
});

test('a cookie that was made up, cut, changed, or is of another database is none', async () => {
  const { local } = await withMessage();
  const cookie = (await signIn(local)) ?? '';
  const [name = '', value = ''] = cookie.split('=');
  const [until, signature] = value.split('.');
  const other = await start({ database: tempDatabase() });
  const foreign = ((await signIn(other)) ?? '').split('=')[1];
  for (const wrong of [
    '',
    'x',
    `${until}.`,
    `.${signature}`,
    `${Number(until) + 1}.${signature}`,
    `${until}.${signature?.slice(1)}A`,
    `${value}x`,
    `0${value}`,
    foreign,
  ])
    expect((await send(local, '/', { headers: { cookie: `${name}=${wrong}` } })).status, wrong).toBe(401);
});

test('a session ends after a week', async () => {
  const { local } = await withMessage();
  const cookie = (await signIn(local)) ?? '';
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    vi.setSystemTime(Date.now() + 7 * 86_400_000 - 10_000);
    expect((await send(local, '/', { headers: { cookie } })).status).toBe(200);
    vi.setSystemTime(Date.now() + 20_000);
    expect((await send(local, '/', { headers: { cookie } })).status).toBe(401);
  } finally {
    vi.useRealTimers();
  }
});

const form = (fields: Record<string, string>) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded', ...BROWSER },
  body: new URLSearchParams(fields).toString(),
});

test('the API key is taken by a form, which leads to a page of this server and nowhere else', async () => {
  const { local } = await withMessage();
  for (const [next, location] of [
    ['/?user=ada', '/?user=ada'],
    ['//evil.example', '/'],
    ['https://evil.example', '/'],
    ['/\\evil.example', '/'],
    ['/a\r\nset-cookie: x=y', '/'],
    ['javascript:alert(1)', '/'],
    ['', '/'],
  ] as const) {
    const answer = await send(local, '/session', form({ key: local.apiKey, next }));
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe(location);
    expect(cookieOf(answer.headers['set-cookie'])).toBeDefined();
    expect(answer.headers['set-cookie']).toHaveLength(1);
  }
  for (const key of ['', 'wrong', `${local.apiKey}x`]) {
    const answer = await send(local, '/session', form({ key }));
    expect(answer.status).toBe(401);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(answer.text).toContain('not an API key');
  }
});

test('a body that is too large, of another type, or not JSON signs nobody in', async () => {
  const { local } = await withMessage();
  const post = (type: string, body: string) =>
    send(local, '/session', { method: 'POST', headers: { 'content-type': type }, body });
  expect((await post('application/json', JSON.stringify({ token: 'x'.repeat(10_000) }))).status).toBe(413);
  expect((await post('text/plain', `key=${local.apiKey}`)).status).toBe(415);
  expect((await post('application/json', '{')).status).toBe(400);
  expect((await post('application/json', 'null')).status).toBe(401);
});

test('requests of other origins get nothing, with the cookie too, but a reader may follow a link to a page', async () => {
  const { local, paths } = await withMessage();
  const cookie = (await signIn(local)) ?? '';
  for (const site of ['cross-site', 'same-site'])
    for (const path of [...paths, '/assets/viewer.css']) {
      for (const [mode, dest] of [
        ['no-cors', 'image'],
        ['no-cors', 'script'],
        ['no-cors', 'style'],
        ['cors', 'empty'],
        ['navigate', 'iframe'],
        ['navigate', 'embed'],
      ] as const) {
        const headers = { cookie, 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest };
        const answer = await send(local, path, { headers });
        expect(answer.status, `${site} ${mode} ${dest} ${path}`).toBe(403);
        expect(answer.text).not.toContain(SECRET);
      }
      const origin = { cookie, origin: 'http://127.0.0.1:3000' };
      expect((await send(local, path, { headers: origin })).status).toBe(403);
    }
  const link = { cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  expect((await send(local, '/', { headers: link })).status).toBe(200);
  const posted = await send(local, '/session', {
    ...form({ key: local.apiKey }),
    headers: { ...form({}).headers, ...link },
  });
  expect(posted.status).toBe(403);
});

test('a name that somebody else may own gets nothing, with the cookie too', async () => {
  const { local, paths } = await withMessage();
  const cookie = (await signIn(local)) ?? '';
  for (const path of [...paths, '/assets/viewer.css', '/session'])
    for (const host of ['evil.example', 'localhost.evil.example', 'localhost:1'])
      expect((await send(local, path, { headers: { cookie, host } })).status).toBe(403);
});

test('every answer says that it is not to be framed, sniffed, kept, or used by others', async () => {
  const { local, paths } = await withMessage();
  const cookie = (await signIn(local)) ?? '';
  const answers = [
    ...(await Promise.all(
      paths
        .filter(path => !path.includes('events'))
        .map(path => send(local, path, { headers: { cookie, ...BROWSER } })),
    )),
    await send(local, '/', { headers: BROWSER }),
    await send(local, '/', { headers: { 'sec-fetch-site': 'cross-site' } }),
    await send(local, '/conversations/x', { headers: { cookie, ...BROWSER } }),
    await send(local, '/session', form({ key: 'wrong' })),
  ];
  for (const { headers } of answers) {
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['cross-origin-resource-policy']).toBe('same-origin');
    expect(headers['cross-origin-opener-policy']).toBe('same-origin');
    expect(headers['access-control-allow-origin']).toBeUndefined();
    const policy = String(headers['content-security-policy']).split('; ');
    for (const directive of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"])
      expect(policy).toContain(directive);
    expect(policy.join()).not.toMatch(/unsafe|\*|data:|http/);
  }
});

test('style and icon need no session, are asked for again, and come once', async () => {
  const { local } = await withMessage();
  const { headers, status, text } = await send(local, '/assets/viewer.css');
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/css; charset=utf-8');
  expect(headers['cache-control']).toBe('no-cache');
  expect(text).toContain('color-scheme');
  const again = await send(local, '/assets/viewer.css', { headers: { 'if-none-match': String(headers.etag) } });
  expect([again.status, again.text]).toEqual([304, '']);
  for (const name of ['../app.js', '%2e%2e%2fapp.js', 'constructor', '__proto__', 'colours.css'])
    expect((await send(local, `/assets/${name}`)).status, name).toBe(404);
});
