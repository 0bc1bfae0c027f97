import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type LocalSynapOptions, startLocalSynap } from 'synap-recorder-local';
import { expect, onTestFinished, test } from 'vitest';
import { createRecorder } from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import type { CliOptions } from '../support/command-line.js';
import { connectProxy } from '../support/connect-proxy.js';
import { scriptedSynap } from '../support/scripted-synap.js';
import { tempFolder } from '../support/temp-folder.js';
import { envOf, runCli } from './support.js';

interface Check {
  name: string;
  status: string;
  finding: string;
  advice?: string;
}

// Nothing of this machine's own.
const NO_PROXIES = Object.fromEntries(
  ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap(name => [
    [name, undefined],
    [name.toLowerCase(), undefined],
  ]),
);

/** Runs the doctor in an empty folder, and finds its checks by name. */
async function doctor(env: Record<string, string | undefined>, args: string[] = [], options: CliOptions = {}) {
  const where = { env: { ...NO_PROXIES, ...env }, cwd: tempFolder(), ...options };
  const { code, stdout, stderr } = await runCli(['doctor', '--json', ...args], where);
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Check[] };
  const wrong = checks.filter(({ status }) => status === 'wrong').map(({ name }) => name);
  const find = (name: string) => checks.find(check => check.name === name);
  return { code, stderr, stdout, ok, wrong, find };
}

async function start(options: LocalSynapOptions = {}) {
  const local = await startLocalSynap({ strictB2c: options.tenancy !== 'b2b', ...options });
  onTestFinished(() => local.close());
  return local;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Reply = { status?: number; headers?: Record<string, string>; json?: unknown; text?: string };

/** A server that answers these paths, and no other; a text stands for a web page. */
const serverOf = (replies: Record<string, Reply | undefined>) =>
  fakeSynap((path, response) => {
    const { status, headers, json, text } = replies[path] ?? { status: 404, json: { detail: 'Not Found' } };
    const type = text === undefined ? 'application/json' : 'text/html';
    response.writeHead(status ?? 200, { 'content-type': type, ...headers }).end(text ?? JSON.stringify(json));
  });

/** A Synap as the service is one, but for what is changed. */
const aSynap = ({ health, whoami, credits }: { health?: Reply; whoami?: Reply; credits?: Reply } = {}) =>
  serverOf({
    '/health': health ?? { json: { status: 'healthy' } },
    '/api/v1/auth/whoami': whoami ?? {
      json: { client_id: 'c1', instance_id: 'i1', user_context_isolation: 'equals_customer' },
    },
    '/v1/credits/balance': credits,
  });

const fakeSynap = (answer: (path: string, response: ServerResponse) => void) =>
  listening(createServer((request, response) => answer(request.url ?? '', response)));

test('where nothing is wrong it says so, and ends with 0', async () => {
  const synap = await start({ tenancy: 'b2b' });
  const { code, ok, wrong, find, stderr } = await doctor(envOf(synap), ['--tenancy', 'b2b']);
  expect({ code, ok, wrong, stderr }).toEqual({ code: 0, ok: true, wrong: [], stderr: '' });
  for (const name of [
    'node',
    'key',
    'address',
    'dns',
    'connection',
    'health',
    'clock',
    'account',
    'tenancy',
    'credits',
  ])
    expect(find(name)?.status, name).toBe('ok');
  expect(find('tenancy')?.finding).toBe('b2b: every message needs a customerId');
});

test('for people every finding is a line, with what to do below what is wrong', async () => {
  const synap = await start();
  const { code, stdout } = await runCli(['doctor'], { env: { SYNAP_BASE_URL: synap.url }, cwd: tempFolder() });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^✓ node {13}v\d+/);
  expect(stdout).toMatch(/\n✗ key {14}there is none\n +→ set SYNAP_API_KEY; npx synap-recorder-local prints one/);
  expect(stdout).toMatch(/\n\n1 thing is wrong\.\n$/);
});

test('no key', async () => {
  const { url } = await start();
  const { code, wrong, find } = await doctor({ SYNAP_BASE_URL: url });
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['key'] });
  expect(find('account')?.status).toBe('skipped');
});

test('a key that was copied badly', async () => {
  const { url } = await start();
  const { wrong, find } = await doctor({ SYNAP_BASE_URL: url, SYNAP_API_KEY: 'two words' });
  expect(wrong).toEqual(['key']);
  expect(find('key')?.advice).toMatch(/copy the key again/);
});

test('a wrong key, which is never printed', async () => {
  const { url } = await start();
  const { code, wrong, find, stdout } = await doctor(envOf({ url, apiKey: 'very-secret-key' }));
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['account'] });
  expect(find('account')).toMatchObject({
    finding: 'the key is refused (401)',
    advice: expect.stringMatching(/SYNAP_API_KEY/),
  });
  expect(stdout).not.toContain('very-secret-key');
});

test('the right key is never printed either', async () => {
  const synap = await start();
  const { stdout } = await doctor(envOf(synap));
  expect(stdout).not.toContain(synap.apiKey);
  expect(stdout).not.toContain(synap.apiKey.slice(-8));
});

test('ids of the account go with its questions, and one that can not be sent is a warning', async () => {
  const seen: unknown[] = [];
  const url = await listening(
    createServer(({ headers, url }, response) => {
      seen.push([headers['x-client-id'], headers['x-instance-id'], headers.authorization]);
      const answers: Record<string, string> = {
        '/health': '{"status":"ok"}',
        '/api/v1/auth/whoami': '{"client_id":"c1"}',
      };
      const answer = answers[url ?? ''];
      response.writeHead(answer ? 200 : 404).end(answer);
    }),
  );
  const env = { ...envOf({ url }), SYNAP_CLIENT_ID: 'c1', SYNAP_INSTANCE_ID: 'two words' };
  const { code, find, stderr } = await doctor(env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const authorization = `Bearer ${env.SYNAP_API_KEY}`;
  expect(seen).toEqual([
    ['c1', undefined, undefined],
    ['c1', undefined, undefined],
    ['c1', undefined, authorization],
    ['c1', undefined, authorization],
  ]);
  expect(find('environment')).toMatchObject({
    status: 'warning',
    finding: expect.stringMatching(/^SYNAP_INSTANCE_ID holds a space/),
  });
});

test('nobody listens there', async () => {
  const synap = await start();
  await synap.close();
  const { code, wrong, find } = await doctor(envOf(synap));
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['connection'] });
  expect(find('connection')).toMatchObject({
    finding: expect.stringMatching(/ECONNREFUSED/),
    advice: expect.stringMatching(/start the server/),
  });
});

test('a name that leads nowhere', async () => {
  const { code, wrong, find } = await doctor(envOf({ url: 'https://no-such-host.invalid' }));
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['dns'] });
  expect(find('dns')?.finding).toMatch(/^no-such-host\.invalid is not known/);
  expect(find('connection')?.status).toBe('skipped');
});

test.each([
  ['http://synap.example', /key and messages would travel in the clear/],
  ['synap.example', /is not a URL/],
])('the address %s', async (url, finding) => {
  const { code, wrong, find } = await doctor(envOf({ url }));
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['address'] });
  expect(find('address')?.finding).toMatch(finding);
});

test('an https address where no TLS is spoken', async () => {
  for (const url of [await listening(createTcpServer(socket => socket.end('Hello there'))), (await start()).url]) {
    const { code, wrong, find } = await doctor(envOf({ url: url.replace('http:', 'https:') }));
    expect({ code, wrong }).toEqual({ code: 1, wrong: ['connection'] });
    expect(find('connection')).toMatchObject({
      finding: expect.stringMatching(/the port does not speak TLS \(/),
      advice: expect.stringMatching(/http:\/\//),
    });
  }
});

/** What is never Synap, and what the doctor says of it. */
const STRANGERS: [name: string, answer: (response: ServerResponse) => void, finding: RegExp, advice: RegExp][] = [
  ['404 to everything', response => response.writeHead(404).end('<html>'), /\/health answers 404/, /SYNAP_BASE_URL/],
  [
    'a web page to everything',
    response => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><p>Welcome'),
    /a web page answers \(200\)/,
    /SYNAP_BASE_URL.*signing in/,
  ],
  ['a web page without a type', response => response.end('\n <html>'), /a web page answers/, /SYNAP_BASE_URL/],
  ['200 and nothing', response => response.end(), /answers 200, but with no JSON/, /SYNAP_BASE_URL/],
  ['200 and text', response => response.end('OK'), /with no JSON/, /SYNAP_BASE_URL/],
  ['JSON of another kind', response => response.end('{"hello":"world"}'), /without a status/, /SYNAP_BASE_URL/],
  ['a list', response => response.end('["ok"]'), /without a status/, /SYNAP_BASE_URL/],
  [
    'what Synap answers, to whatever is asked',
    response => response.end('{"status":"ok","client_id":"c1","user_context_isolation":"strict","plan":"pro"}'),
    /answers 200 to an address that nobody has/,
    /SYNAP_BASE_URL/,
  ],
  [
    'a sign-in page of a network',
    response => response.writeHead(302, { location: 'http://hotel.example/login' }).end(),
    /sends elsewhere \(302\)/,
    /sign in to the network/,
  ],
  ['511', response => response.writeHead(511).end(), /network wants signing in \(511\)/, /sign in to the network/],
  ['a proxy that wants signing in', response => response.writeHead(407).end(), /a proxy .*\(407\)/, /put its user/],
  [
    'a firewall',
    response => response.writeHead(403, { 'content-type': 'text/html' }).end('<h1>Blocked'),
    /refuses the request \(403\), as a firewall/,
    /let the firewall/,
  ],
  ['a bare 403', response => response.writeHead(403).end(), /refuses \/health \(403\)/, /let the firewall/],
];

test.each(STRANGERS)('%s is no Synap, and is not shown the key', async (_, answer, finding, advice) => {
  const keys: unknown[] = [];
  const url = await listening(
    createServer((request, response) => {
      keys.push(request.headers.authorization);
      answer(response);
    }),
  );
  const { code, wrong, find, stdout } = await doctor(envOf({ url }));
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['health'] });
  expect(find('health')?.finding).toMatch(/^this is no Synap: /);
  expect(find('health')?.finding).toMatch(finding);
  expect(find('health')?.advice).toMatch(advice);
  expect(find('account')).toMatchObject({ status: 'skipped', finding: 'this is no Synap' });
  expect(stdout).not.toContain('accepted');
  expect(keys.filter(key => key !== undefined)).toEqual([]);
});

test.each<[string, Reply, RegExp]>([
  ['has no such route', { status: 404, json: { detail: 'Not Found' } }, /^this is no Synap: it has no/],
  ['answers another JSON', { json: { user: 'ada' } }, /^this is no Synap: .* but not whose key it is/],
  ['answers nothing', { status: 204 }, /^this is no Synap/],
  ['answers a web page', { text: '<html>' }, /^a web page answers/],
  ['is behind a firewall', { status: 403, text: '<html>' }, /^a web page refuses the request/],
  ['is behind a proxy', { status: 407, text: '' }, /^a proxy answers, and wants signing in/],
])('a whoami that %s tells nothing about a key', async (_, whoami, finding) => {
  const { code, wrong, find } = await doctor(envOf({ url: await aSynap({ whoami }) }));
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['account'] });
  expect(find('account')?.finding).toMatch(finding);
  expect(find('tenancy')?.status).toBe('skipped');
});

test('nothing is recorded: it only reads', async () => {
  const seen: string[] = [];
  const url = await listening(
    createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      const answers: Record<string, string> = {
        '/health': '{"status":"ok"}',
        '/api/v1/auth/whoami': '{"user_context_isolation":"strict"}',
      };
      const answer = answers[request.url ?? ''];
      response.writeHead(answer ? 200 : 404).end(answer);
    }),
  );
  expect((await doctor(envOf({ url }))).code).toBe(0);
  expect(seen).toEqual([
    'GET /health',
    expect.stringMatching(/^GET \/v1\/doctor-[0-9a-f-]{36}$/),
    'GET /api/v1/auth/whoami',
    'GET /v1/credits/balance',
  ]);
});

test('client, instance, tenancy and credits are shown where they are told', async () => {
  const credits = { json: { balance_credits: 1200, minimum_required_credits: 5, plan: 'pro', status: 'active' } };
  const { code, find } = await doctor(envOf({ url: await aSynap({ credits }) }));
  expect(code).toBe(0);
  expect(find('account')?.finding).toBe('the key is accepted (client c1, instance i1)');
  expect(find('tenancy')?.finding).toBe('b2c: the customer is resolved from the user');
  expect(find('credits')).toMatchObject({ status: 'ok', finding: '1200 credits, plan pro, active' });
});

test.each<[string, Reply, string]>([
  [
    'nothing is left',
    { json: { balance_credits: 0, recovery_url: 'https://pay.example/top' } },
    'top it up: https://pay.example/top',
  ],
  ['too little is left', { json: { balance_credits: 3, minimum_required_credits: 5 } }, 'top it up'],
  [
    'the service says so',
    { status: 402, json: { detail: { message: 'no', recovery_url: 'javascript:x' } } },
    'top it up',
  ],
  [
    'the trial has ended',
    { status: 429, json: { detail: { reason: 'trial_limit_reached', upgrade_url: 'https://pay.example' } } },
    'top it up: https://pay.example',
  ],
])('an account is out of credits where %s', async (_, credits, advice) => {
  const { code, wrong, find } = await doctor(envOf({ url: await aSynap({ credits }) }));
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['credits'] });
  expect(find('credits')?.advice).toBe(advice);
});

test.each<[string, Reply | undefined]>([
  ['no such route', undefined],
  ['a web page', { text: '<html>' }],
  ['other JSON', { json: ['?'] }],
  ['an error', { status: 503, json: {} }],
])('where credits are answered with %s, they are not known', async (_, credits) => {
  const { code, find } = await doctor(envOf({ url: await aSynap({ ...(credits && { credits }) }) }));
  expect(code).toBe(0);
  expect(find('credits')).toMatchObject({ status: 'skipped', finding: 'the server does not say' });
});

test.each(['"sk-quoted"', "'sk-quoted'", '`sk-quoted`', ' "sk-quoted" '])('the quoted key %s', async apiKey => {
  const synap = await start();
  const { code, wrong, find, stdout } = await doctor({ SYNAP_BASE_URL: synap.url, SYNAP_API_KEY: apiKey });
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['key'] });
  expect(find('key')).toMatchObject({
    finding: expect.stringMatching(/^SYNAP_API_KEY stands in quotes/),
    advice: expect.stringMatching(/^set it without them/),
  });
  expect(find('environment')).toBeUndefined();
  expect(stdout).not.toContain('sk-quoted');
  const given = await doctor({ SYNAP_BASE_URL: synap.url }, ['--api-key', apiKey]);
  expect(given.find('key')?.finding).toMatch(/^--api-key stands in quotes/);
});

test.each([
  [
    { HTTP_PROXY: 'ftp://u:pass-word@p' },
    'warning',
    /^HTTP_PROXY must begin with .*; requests go to 127.0.0.1 directly/,
  ],
  [{ ALL_PROXY: 'socks5://u:pass-word@proxy.example' }, 'warning', /^ALL_PROXY is set, but not used/],
  [{ HTTP_PROXY: 'http://p', NO_PROXY: 'example.com, 127.0.0.1' }, 'ok', /NO_PROXY leaves 127\.0\.0\.1 out/],
  [{ HTTP_PROXY: 'http://p', no_proxy: '*' }, 'ok', /NO_PROXY leaves/],
  [{ HTTPS_PROXY: 'http://p' }, undefined, undefined],
  [{ HTTP_PROXY: '' }, undefined, undefined],
])('with %j it goes directly, and says so where a proxy is named', async (env, status, finding) => {
  const { code, find, stdout } = await doctor({ ...envOf({ url: await aSynap() }), ...env });
  expect(code).toBe(0);
  expect(find('proxy')?.status).toBe(status);
  if (finding) expect(find('proxy')?.finding).toMatch(finding);
  expect(stdout).not.toMatch(/pass-word/);
});

test.each(['HTTP_PROXY', 'http_proxy'])('it asks through the proxy that %s names, signed in', async name => {
  await using proxy = await connectProxy({ signIn: 'u:pass-word' });
  const url = await aSynap();
  const env = { ...envOf({ url }), [name]: proxy.url.replace('//', '//u:pass-word@'), NO_PROXY: '127.0.0.1:1' };
  const { code, find, stdout } = await doctor(env);
  expect(code).toBe(0);
  expect(find('proxy')).toMatchObject({
    status: 'ok',
    finding: `requests go through 127.0.0.1:${proxy.port}, from ${name}`,
  });
  expect(find('connection')?.finding).toMatch(new RegExp(`^port ${proxy.port} answers`));
  expect(find('health')?.status).toBe('ok');
  expect(proxy.forwarded.length).toBeGreaterThan(2);
  expect(stdout).not.toMatch(/pass-word/);
});

test('a proxy that is down is what is wrong', async () => {
  const proxy = await connectProxy();
  await proxy[Symbol.asyncDispose]();
  const { wrong, find } = await doctor({ SYNAP_API_KEY: 'k', HTTPS_PROXY: proxy.url });
  expect(wrong).toEqual(['connection']);
  expect(find('connection')).toMatchObject({
    finding: `port ${proxy.port} can't be reached (ECONNREFUSED)`,
    advice: 'check the address of the proxy (HTTPS_PROXY), and the network',
  });
});

test('a proxy that wants a sign-in is what is wrong', async () => {
  await using proxy = await connectProxy({ signIn: 'u:pass-word' });
  const { wrong, find } = await doctor({ SYNAP_API_KEY: 'k', HTTPS_PROXY: proxy.url });
  expect(wrong).toEqual(['health']);
  expect(find('health')?.finding).toMatch(/The proxy 127\.0\.0\.1:\d+ wants a sign-in \(407\)/);
});

test('a server that never answers', async () => {
  const url = await fakeSynap(() => {});
  const { code, wrong, find } = await doctor(envOf({ url }), [], { clock: 'fast' });
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['health'] });
  expect(find('health')?.finding).toMatch(/^no answer \(/);
});

test.each([
  [-3600, 'ahead of'],
  [3600, 'behind'],
])('a clock that the server sees %d s away', async (seconds, words) => {
  const url = await fakeSynap((path, response) => {
    response.setHeader('Date', new Date(Date.now() + seconds * 1000).toUTCString());
    const answers: Record<string, string> = {
      '/health': '{"status":"ok"}',
      '/api/v1/auth/whoami': '{"client_id":"c"}',
    };
    response.statusCode = answers[path] ? 200 : 404;
    response.end(answers[path]);
  });
  const { code, wrong, find } = await doctor(envOf({ url }));
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['clock'] });
  expect(find('clock')?.finding).toMatch(new RegExp(`^is 3[56]\\d\\d s ${words} the server's$`));
});

test.each([
  [402, 'out of credits'],
  [500, 'got 500'],
])('an account for which whoami answers %d', async (status, finding) => {
  const url = await aSynap({ whoami: { status, json: {} } });
  const { wrong, find } = await doctor(envOf({ url }));
  expect(wrong).toEqual(['account']);
  expect(find('account')?.finding).toContain(finding);
});

test('a tenancy that the app is not written for', async () => {
  const synap = await start({ tenancy: 'b2c' });
  const { code, wrong, find } = await doctor(envOf(synap), ['--tenancy', 'b2b']);
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['tenancy'] });
  expect(find('tenancy')?.finding).toBe('is b2c, and not b2b');
});

/** A project whose node_modules hold these versions, and a folder inside it. */
function aProject(versions: Record<string, string>): string {
  const project = tempFolder();
  for (const [name, version] of Object.entries(versions)) {
    mkdirSync(join(project, 'node_modules', name), { recursive: true });
    writeFileSync(join(project, 'node_modules', name, 'package.json'), JSON.stringify({ name, version }));
  }
  const inside = join(project, 'packages', 'app');
  mkdirSync(inside, { recursive: true });
  return inside;
}

test.each([
  [{ ai: '4.3.19' }, ['ai']],
  [{ ai: '8.0.0', '@langchain/core': '0.2.36' }, ['ai', '@langchain/core']],
  [{ ai: '5.0.0', '@langchain/core': '0.3.80' }, []],
  [{ ai: '7.0.0-beta.3', '@langchain/core': '1.4.0' }, []],
])('of the peers %j, those that do not fit are %j', async (versions, expected) => {
  const synap = await start();
  const { code, wrong, find } = await doctor(envOf(synap), [], { cwd: aProject(versions) });
  expect({ code, wrong }).toEqual({ code: expected.length > 0 ? 1 : 0, wrong: expected });
  for (const name of expected) expect(find(name)?.advice).toBe(`npm install ${name}@latest`);
});

/** The file of an outbox whose messages were answered so, one after the other. */
async function anOutbox(status: number | undefined): Promise<string> {
  const path = join(tempFolder(), 'outbox.db');
  await using synap = await scriptedSynap(() => ({ status }));
  const recorder = createRecorder({
    apiKey: 'k',
    baseUrl: synap.url,
    userId: 'ada',
    outbox: sqliteOutbox({ path }),
    rateLimit: false,
    logger: false,
  });
  recorder.turn().user('Hi');
  // What is answered with 503 waits for ever.
  await recorder.flush({ timeoutMs: status === 503 ? 300 : 60_000 });
  await recorder.close({ timeoutMs: 0 });
  return path;
}

test('an outbox that is well', async () => {
  const path = await anOutbox(200);
  const { code, find } = await doctor(envOf(await start()), ['--outbox', path]);
  expect({ code, outbox: find('outbox') }).toEqual({
    code: 0,
    outbox: { name: 'outbox', status: 'ok', finding: `${path}: 0 waiting, 0 dead letters` },
  });
});

test("an outbox of which others can't see at once that its owner has ended", async () => {
  const path = await anOutbox(200);
  writeFileSync(`${path}-owner`, 'notes of mine');
  const { code, find } = await doctor(envOf(await start()), ['--outbox', path]);
  expect(code).toBe(0);
  expect(find('owner')).toEqual({
    name: 'owner',
    status: 'warning',
    finding: expect.stringContaining(`${path}-owner is not the empty file`),
    advice: 'move it away',
  });
});

test('an outbox with dead letters', async () => {
  const path = await anOutbox(422);
  const { code, wrong, find } = await doctor(envOf(await start()), ['--outbox', path]);
  expect({ code, wrong }).toEqual({ code: 1, wrong: ['outbox'] });
  expect(find('outbox')).toMatchObject({
    finding: `${path}: 0 waiting, 1 dead letter`,
    advice: expect.stringContaining(`synap-recorder outbox list ${path}`),
  });
});

test('an outbox in which messages have waited for long, and that nobody sends from', async () => {
  const path = await anOutbox(503);
  expect((await doctor(envOf(await start()), ['--outbox', path])).code).toBe(0);
  const db = new DatabaseSync(path);
  db.exec(`UPDATE entries SET accepted_at = accepted_at - ${60 * 60_000}`);
  db.close();
  const { wrong, find } = await doctor(envOf(await start()), ['--outbox', path]);
  expect(wrong).toEqual(['outbox']);
  expect(find('outbox')?.finding).toMatch(
    /1 waiting, 0 dead letters, the oldest for 60 minutes, and no process sends them$/,
  );
});

test('an outbox that is not there, and a file that is none', async () => {
  const env = envOf(await start());
  const file = join(tempFolder(), 'diary');
  writeFileSync(file, 'Dear diary');
  expect((await doctor(env, ['--outbox', 'nowhere.db'])).find('outbox')).toMatchObject({
    status: 'wrong',
    finding: 'nowhere.db does not exist: check the path',
  });
  expect((await doctor(env, ['--outbox', file])).find('outbox')?.finding).toMatch(/is not a SQLite database/);
});
