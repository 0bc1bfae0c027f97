// Which Host headers and origins a server accepts.

import { expect, test } from 'vitest';
import { isAllowedHost, isForeignOrigin } from '../src/host-check.js';

const local = { port: 8787, names: new Set<string>() };

test.each([
  'localhost:8787',
  'LOCALHOST:8787',
  'localhost',
  'app.localhost:8787',
  '127.0.0.1:8787',
  '127.0.0.1',
  '127.8.9.10:8787',
  '[::1]:8787',
  '[::1]',
])('%s is this machine', host => {
  expect(isAllowedHost(host, local)).toBe(true);
});

test.each([
  undefined,
  '',
  'evil.example',
  'evil.example:8787',
  'localhost:8788',
  '127.0.0.1:80',
  'localhost.evil.example',
  'notlocalhost',
  '127.0.0.1.evil.example:8787',
  '127.evil.example',
  '127.0.0.256',
  '128.0.0.1',
  '0.0.0.0:8787',
  '[::2]:8787',
  '[::1].evil.example',
  '[::1',
  '::1',
  'localhost:',
  'localhost:8787:8787',
  'localhost:+8787',
  'user@localhost:8787',
  'localhost, evil.example',
  'localhost evil.example',
])('%s is not', host => {
  expect(isAllowedHost(host, local)).toBe(false);
});

test('a name that was allowed is allowed at any port when a mapping may stand in between', () => {
  const policy = { port: undefined, names: new Set(['synap.lan', '[fd00::1]']) };
  for (const host of ['synap.lan', 'Synap.LAN:9000', '[fd00::1]:80', 'localhost:9000'])
    expect(isAllowedHost(host, policy)).toBe(true);
  expect(isAllowedHost('other.lan', policy)).toBe(false);
});

test('only the page that the server itself would serve is of its own origin', () => {
  expect(isForeignOrigin(undefined, 'localhost:8787')).toBe(false);
  expect(isForeignOrigin('http://localhost:8787', 'localhost:8787')).toBe(false);
  expect(isForeignOrigin('http://localhost:8787', 'LocalHost:8787')).toBe(false);
  for (const origin of ['null', '', 'http://localhost', 'http://localhost:3000', 'http://127.0.0.1:8787', 'file://'])
    expect(isForeignOrigin(origin, 'localhost:8787')).toBe(true);
});
