import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createRecorder,
  InvalidInputError,
  memoryOutbox,
  type Outbox,
  type OutboxEntry,
  type RecorderOptions,
  SynapClient,
} from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { keyedClient } from '../support/keyed-client.js';
import { balanced } from '../support/recorder.js';
import { type Script, scriptedSynap } from '../support/scripted-synap.js';
import { anEntry, expectSound, listen, tempFile, WHOLE_TURN } from './outbox-support.js';

async function synap(script?: Script) {
  const server = await scriptedSynap(script);
  onTestFinished(() => server.close());
  return server;
}

/** A recorder on a file, quick to send, and what it says. */
function recorderOn(path: string, options: RecorderOptions) {
  const { lines, logger } = listen();
  const recorder = createRecorder({
    userId: 'ada',
    outbox: sqliteOutbox({ path }),
    rateLimit: false,
    batch: { lingerMs: 1 },
    retry: { baseMs: 5, maxMs: 20 },
    logger,
    ...options,
  });
  onTestFinished(async () => void (await recorder.close({ timeoutMs: 0 })));
  return { recorder, lines };
}

const contents = ({ stored }: Awaited<ReturnType<typeof synap>>) => stored.map(message => message.content);
const keysUsed = ({ requests }: Awaited<ReturnType<typeof synap>>) => [
  ...new Set(requests.map(({ headers }) => headers.authorization)),
];
const numbered = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}${n}`);

/** Says so many messages in one conversation, with Synap away, and ends. */
async function leaveBehind(path: string, count: number, options: RecorderOptions): Promise<void> {
  const { recorder } = recorderOn(path, options);
  for (let n = 0; n < count; n++) recorder.turn({ conversationId: 'chat' }).user(`old${n}`, { messageId: `old${n}` });
  await recorder.close({ timeoutMs: 0 });
}

describe('two tenants on one file', () => {
  it('each get their messages to their own address under their own key, side by side', async () => {
    const path = tempFile();
    const [a, b] = [await synap(), await synap()];
    const [one, two] = [
      recorderOn(path, { apiKey: 'key-a', baseUrl: a.url }).recorder,
      recorderOn(path, { apiKey: 'key-b', baseUrl: b.url }).recorder,
    ];
    for (let n = 0; n < 60; n++) {
      one.turn({ conversationId: `c${n % 3}` }).user(`a${n}`);
      two.turn({ conversationId: `c${n % 3}` }).user(`b${n}`);
    }
    expect(await Promise.all([one.flush(), two.flush()])).toEqual([
      { delivered: 60, pending: 0, deadLettered: 0 },
      { delivered: 60, pending: 0, deadLettered: 0 },
    ]);
    expect([contents(a).toSorted(), contents(b).toSorted()]).toEqual([
      numbered('a', 60).toSorted(),
      numbered('b', 60).toSorted(),
    ]);
    expect([keysUsed(a), keysUsed(b)]).toEqual([['Bearer key-a'], ['Bearer key-b']]);
    for (const recorder of [one, two])
      expect(balanced(recorder)).toMatchObject({ accepted: 60, delivered: 60, foreign: 0 });
    expectSound(path);
  });

  it('are told apart by their keys at one address', async () => {
    const path = tempFile();
    const server = await synap();
    const tenant = (key: string) =>
      recorderOn(path, {
        client: keyedClient({ url: server.url, key, whoami: async () => ({ clientId: key, instanceId: 'i' }) }).client,
      }).recorder;
    const [one, two] = [tenant('key-a'), tenant('key-b')];
    for (let n = 0; n < 20; n++) {
      one.turn({ conversationId: 'c' }).user('same words', { messageId: `m${n}` });
      two.turn({ conversationId: 'c' }).user('same words', { messageId: `m${n}` });
    }
    await Promise.all([one.flush(), two.flush()]);
    const sentUnder = (key: string) =>
      server.requests.filter(({ headers }) => headers.authorization === `Bearer ${key}`).flatMap(each => each.messages);
    expect([sentUnder('key-a').length, sentUnder('key-b').length]).toEqual([20, 20]);
  });

  it('do not wait for one another: one that is refused holds up nobody else', async () => {
    const path = tempFile();
    const [bad, good] = [await synap(() => ({ status: 401 })), await synap()];
    const one = recorderOn(path, { apiKey: 'key-a', baseUrl: bad.url }).recorder;
    const two = recorderOn(path, { apiKey: 'key-b', baseUrl: good.url }).recorder;
    one.turn({ conversationId: 'c' }).user('a');
    await expect.poll(() => one.stats().held).toBe(1);
    two.turn({ conversationId: 'c' }).user('b');
    expect(await two.flush()).toMatchObject({ delivered: 1, pending: 0 });
    expect(balanced(two)).toMatchObject({ accepted: 1, delivered: 1, foreign: 1 });
    expect(contents(good)).toEqual(['b']);
  });

  it('share the limits of the file', async () => {
    const path = tempFile();
    const away = await synap(() => ({ status: 503 }));
    const tenant = (account: string) =>
      recorderOn(path, { apiKey: 'k', baseUrl: away.url, account, outbox: sqliteOutbox({ path, maxMessages: 3 }) });
    const [one, two] = [tenant('one').recorder, tenant('two').recorder];
    for (let n = 0; n < 2; n++) one.turn({ conversationId: `c${n}` }).user(`a${n}`);
    for (let n = 0; n < 2; n++) two.turn({ conversationId: `c${n}` }).user(`b${n}`);
    expect(two.stats()).toMatchObject({ accepted: 1, refused: { outbox_full: 1 } });
  });
});

it('a key that was rotated goes on where the old one stopped, with nothing but what whoami tells', async () => {
  const path = tempFile();
  let isAway = false;
  const server = await synap(() => (isAway ? { status: 503 } : undefined));
  const outbox = sqliteOutbox({ path });
  const before = recorderOn(path, { apiKey: 'old-key', baseUrl: server.url, outbox });
  before.recorder.turn({ conversationId: 'chat' }).user('first');
  await before.recorder.flush();
  await expect.poll(() => outbox.accounts?.()).toMatchObject([{ account: `${server.url} c1/i1` }]);
  isAway = true;
  for (const word of ['second', 'third']) before.recorder.turn({ conversationId: 'chat' }).user(word);
  await before.recorder.close({ timeoutMs: 0 });
  isAway = false;
  const after = recorderOn(path, { apiKey: 'new-key', baseUrl: server.url });
  after.recorder.turn({ conversationId: 'chat' }).user('fourth');
  expect(await after.recorder.flush()).toEqual({ delivered: 3, pending: 0, deadLettered: 0 });
  expect(contents(server)).toEqual(['first', 'second', 'third', 'fourth']);
  expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer new-key');
  expect(server.whoamis).toHaveLength(2);
  expect(balanced(after.recorder)).toMatchObject({ accepted: 4, delivered: 4, foreign: 0 });
});

describe('a file that was filled at another address', () => {
  it('keeps what is in it, counts it as foreign, and says once what to do', async () => {
    const path = tempFile();
    const staging = await synap(() => ({ status: 503 }));
    await leaveBehind(path, 3, { apiKey: 'staging-key', baseUrl: staging.url });
    const production = await synap();
    const { recorder, lines } = recorderOn(path, { apiKey: 'production-key', baseUrl: production.url });
    recorder.turn({ conversationId: 'chat' }).user('new');
    expect(await recorder.flush()).toEqual({ delivered: 1, pending: 0, deadLettered: 0 });
    expect(contents(production)).toEqual(['new']);
    expect(balanced(recorder)).toMatchObject({ accepted: 1, delivered: 1, foreign: 3 });
    const said = lines.filter(line => line.includes('another account'));
    expect(said).toEqual([expect.stringContaining(`synap-recorder outbox adopt ${path} --from "${staging.url} `)]);
    expect(said[0]).toContain('holds 3 messages');
    expect(lines.join()).not.toMatch(/staging-key|production-key/);
  });

  it('gives them to the account that adopts them, in their order', async () => {
    const path = tempFile();
    const staging = await synap(() => ({ status: 503 }));
    await leaveBehind(path, 3, { account: 'staging', apiKey: 'k', baseUrl: staging.url });
    const production = await synap();
    const outbox = sqliteOutbox({ path });
    expect(await outbox.adopt?.('staging', 'production')).toBe(3);
    await outbox.close();
    const { recorder, lines } = recorderOn(path, { account: 'production', apiKey: 'k', baseUrl: production.url });
    recorder.turn({ conversationId: 'chat' }).user('new');
    expect(await recorder.flush()).toMatchObject({ delivered: 4, pending: 0 });
    expect(contents(production)).toEqual(['old0', 'old1', 'old2', 'new']);
    expect(lines.filter(line => line.includes('another account'))).toEqual([]);
    expectSound(path);
  });
});

describe('a rotated key', () => {
  const whoami = async () => ({ clientId: 'client', instanceId: 'instance' });

  /** A file with messages of a key that Synap has told the ids of. */
  async function filledUnder(key: string, count: number) {
    const path = tempFile();
    let isDown = false;
    // What the old key still sends when its recorder is closed must not arrive.
    const isOld = (authorization: unknown) => authorization === `Bearer ${key}`;
    const server = await synap(({ headers }) => (isDown && isOld(headers.authorization) ? { status: 503 } : undefined));
    const first = keyedClient({ url: server.url, key, whoami });
    const { recorder } = recorderOn(path, { client: first.client });
    recorder.turn({ conversationId: 'first' }).user('first');
    await recorder.flush();
    await expect.poll(() => first.asked.length).toBe(1);
    isDown = true;
    for (let n = 0; n < count; n++) recorder.turn({ conversationId: 'chat' }).user(`old${n}`);
    await recorder.close({ timeoutMs: 0 });
    server.stored.length = 0;
    return { path, server };
  }

  it('of the same account goes on by itself, older messages first', async () => {
    const { path, server } = await filledUnder('key-1', 5);
    const second = keyedClient({ url: server.url, key: 'key-2', whoami });
    const { recorder, lines } = recorderOn(path, { client: second.client });
    recorder.turn({ conversationId: 'chat' }).user('new');
    expect(await recorder.flush()).toMatchObject({ pending: 0, deadLettered: 0 });
    await expect.poll(() => contents(server)).toEqual([...numbered('old', 5), 'new']);
    expect(balanced(recorder)).toMatchObject({ accepted: 7, delivered: 7, foreign: 0 });
    expect(lines.filter(line => line.includes('another account'))).toEqual([]);
    expectSound(path);
  });

  it('waits for what a process with the old key has in flight', async () => {
    const { path, server } = await filledUnder('key-1', 0);
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const slow = await synap(async () => void (await answered));
    const old = new SynapClient({ apiKey: 'key-1', baseUrl: slow.url });
    const { client } = keyedClient({ url: server.url, key: 'key-1', whoami });
    Object.defineProperty(client, 'conversation', { value: old.conversation });
    const first = recorderOn(path, { client }).recorder;
    first.turn({ conversationId: 'chat' }).user('old');
    await expect.poll(() => slow.requests.length).toBe(1);
    const second = recorderOn(path, { client: keyedClient({ url: server.url, key: 'key-2', whoami }).client }).recorder;
    second.turn({ conversationId: 'chat' }).user('new');
    expect(await second.flush({ timeoutMs: 500 })).toMatchObject({ delivered: 0, pending: 2 });
    expect(contents(server)).toEqual([]);
    answer();
    await Promise.all([first.flush(), second.flush()]);
    expect([...contents(slow), ...contents(server)]).toEqual(['old', 'new']);
    expectSound(path);
  });

  it('goes on even when nothing new is said', async () => {
    const { path, server } = await filledUnder('key-1', 3);
    recorderOn(path, { client: keyedClient({ url: server.url, key: 'key-2', whoami }).client });
    await expect.poll(() => contents(server)).toEqual(numbered('old', 3));
  });

  it('is asked about once: the file remembers whose it is', async () => {
    const { path, server } = await filledUnder('key-1', 2);
    for (const expected of [1, 0, 0]) {
      const { client, asked } = keyedClient({ url: server.url, key: 'key-2', whoami });
      const { recorder } = recorderOn(path, { client });
      recorder.turn({ conversationId: 'chat' }).user('more');
      await recorder.flush();
      await recorder.close();
      expect(asked).toHaveLength(expected);
    }
  });

  it('of another account does not get what the old one left', async () => {
    const { path, server } = await filledUnder('key-1', 3);
    const other = keyedClient({
      url: server.url,
      key: 'key-2',
      whoami: async () => ({ clientId: 'client', instanceId: 'another' }),
    });
    const { recorder, lines } = recorderOn(path, { client: other.client });
    recorder.turn({ conversationId: 'chat' }).user('new');
    await recorder.flush();
    expect(contents(server)).toEqual(['new']);
    expect(balanced(recorder)).toMatchObject({ accepted: 1, delivered: 1, foreign: 3 });
    await expect.poll(() => lines.filter(line => line.includes('another account'))).toHaveLength(1);
  });

  it('sends what is new after five seconds when Synap does not say whose it is', async () => {
    const { path, server } = await filledUnder('key-1', 3);
    const silent = keyedClient({ url: server.url, key: 'key-2', whoami: () => new Promise(() => {}) });
    const { recorder } = recorderOn(path, { client: silent.client });
    recorder.turn({ conversationId: 'chat' }).user('new');
    const begun = performance.now();
    await recorder.flush({ timeoutMs: 30_000 });
    expect(performance.now() - begun).toBeGreaterThan(4500);
    expect(contents(server)).toEqual(['new']);
    expect(recorder.stats()).toMatchObject({ foreign: 3 });
  });

  it('whose account Synap can not tell is no trouble to anybody', async () => {
    const path = tempFile();
    const server = await synap();
    for (const whoami of [async () => ({}), async () => Promise.reject(new Error('401'))]) {
      const { client } = keyedClient({ url: server.url, key: 'key-1', whoami });
      const { recorder, lines } = recorderOn(path, { client });
      recorder.turn({ conversationId: 'chat' }).user('hello');
      expect(await recorder.flush()).toMatchObject({ delivered: 1 });
      expect(lines).toEqual([]);
      await recorder.close();
    }
  });
});

describe('the account', () => {
  it('is not asked for with a name of its own, or with a memory outbox', async () => {
    const server = await synap();
    const named = keyedClient({ url: server.url, key: 'k' });
    const inMemory = keyedClient({ url: server.url, key: 'k' });
    for (const options of [
      { client: named.client, account: 'mine' },
      { client: inMemory.client, outbox: memoryOutbox() },
    ]) {
      const { recorder } = recorderOn(tempFile(), options);
      recorder.turn({ conversationId: 'chat' }).user('hello');
      await recorder.flush();
    }
    expect([named.asked, inMemory.asked]).toEqual([[], []]);
  });

  it('must be named when a durable outbox has a key that is a function', () => {
    const apiKey = (() => 'k') as unknown as string;
    const make = (options: RecorderOptions) => () => createRecorder({ apiKey, logger: false, ...options });
    const durable = sqliteOutbox({ path: tempFile() });
    expect(make({ outbox: durable })).toThrow(InvalidInputError);
    expect(make({ outbox: durable })).toThrow(/account is missing.*name the account/);
  });

  it.each(['', 'a\nb', 'x'.repeat(201), 7])('%j is no name', account => {
    expect(() => createRecorder({ apiKey: 'k', account: account as string })).toThrow(
      expect.objectContaining({ field: 'account' }),
    );
  });

  it('of a client of the app that says odd things about itself is still one', async () => {
    const { client } = keyedClient({ url: 'http://127.0.0.1:1', key: 'k' });
    const { conversation } = client;
    const odd = [
      { conversation },
      { conversation, baseUrl: 'https://user:secret@host/path/', fingerprint: 7 },
      {
        conversation,
        get fingerprint(): string {
          throw new Error('no');
        },
      },
    ];
    const names = odd.map(client => recorderOn(tempFile(), { client }).recorder.account);
    expect(names).toEqual(['own client', 'https://host/path key:7', 'own client']);
  });
});

describe('an outbox that was written before there were accounts', () => {
  /** It ignores what it does not know, and keeps entries as they are. */
  function oldOutbox(): Outbox {
    const memory = memoryOutbox();
    return {
      durable: true,
      put: (entry, options) => memory.put({ ...entry, account: '' }, options),
      claim: ({ account: _, ...limits }) => memory.claim(limits),
      settle: settlements => memory.settle(settlements),
      stats: () => memory.stats(),
      progress: position => memory.progress(position),
      deadLetters: () => memory.deadLetters(),
      replay: keys => memory.replay(keys),
      purge: keys => memory.purge(keys),
      close: () => memory.close(),
    };
  }

  it('works as before', async () => {
    const server = await synap(({ messages }) =>
      messages.some(({ content }) => content === 'poison') ? { status: 422 } : undefined,
    );
    const { recorder, lines } = recorderOn(tempFile(), {
      outbox: oldOutbox(),
      client: keyedClient({ url: server.url, key: 'k' }).client,
    });
    for (const content of ['one', 'poison', 'two']) recorder.turn({ conversationId: 'chat' }).user(content);
    expect(await recorder.flush()).toEqual({ delivered: 2, pending: 0, deadLettered: 1 });
    expect(await recorder.deadLetters.list()).toHaveLength(1);
    expect(await recorder.deadLetters.purge()).toBe(1);
    expect(balanced(recorder)).toMatchObject({ accepted: 3, delivered: 2, deadLettered: 1, foreign: 0 });
    expect(lines.filter(line => line.includes('account'))).toEqual([]);
  });

  it('never has what it keeps of another account sent', async () => {
    const entries: OutboxEntry[] = [];
    const outbox = oldOutbox();
    const server = await synap();
    const keeping: Outbox = {
      ...outbox,
      put(entry, options) {
        entries.push(entry);
        return outbox.put(entry, options);
      },
      async claim(limits) {
        const claimed = await outbox.claim(limits);
        return claimed.map(entry => ({ ...entry, account: entries.find(({ key }) => key === entry.key)?.account }));
      },
    };
    await keeping.put(anEntry('of one', 'a', { account: 'one' }), WHOLE_TURN);
    const { recorder, lines } = recorderOn(tempFile(), {
      outbox: keeping,
      account: 'two',
      apiKey: 'k',
      baseUrl: server.url,
    });
    recorder.turn({ conversationId: 'b' }).user('of two');
    await expect.poll(() => contents(server)).toEqual(['of two']);
    await expect.poll(() => lines.filter(line => line.includes('another account')).length).toBe(1);
  });
});
