import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AuthenticationError, createRecorder, NetworkError, SynapClient, SynapError } from '../../src/index.js';
import { type Script, scriptedSynap } from '../support/scripted-synap.js';

const OLD = 'old-key-0123456789';
const NEW = 'new-key-9876543210';
const message = {
  conversationId: '0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e',
  role: 'user',
  content: 'Hello',
  userId: 'ada',
} as const;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) await close();
});

/** A Synap that takes one key only. */
async function synapFor(apiKey: () => unknown, valid = NEW, script?: Script) {
  const accepts: Script = ({ headers }) =>
    headers.authorization === `Bearer ${valid}`
      ? undefined
      : { status: 401, json: { detail: `bad ${headers.authorization}` } };
  const synap = await scriptedSynap(script ?? accepts);
  const client = new SynapClient({ apiKey: apiKey as () => string, baseUrl: synap.url, timeoutMs: 2000 });
  closing.push(
    () => client.close(),
    () => synap.close(),
  );
  const keys = () => synap.requests.map(({ headers }) => String(headers.authorization).replace('Bearer ', ''));
  return { synap, client, keys, send: () => client.conversation.recordMessage(message) };
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as SynapError,
  );

describe('an apiKey that is a function', () => {
  it('is asked at the first request, and not again', async () => {
    const apiKey = vi.fn(async () => ` ${NEW}\n`);
    const { client, send, keys } = await synapFor(apiKey);
    expect(apiKey).not.toHaveBeenCalled();
    expect(client.fingerprint).toBeUndefined();
    await send();
    await send();
    expect(apiKey).toHaveBeenCalledTimes(1);
    expect(keys()).toEqual([NEW, NEW]);
    expect(client.fingerprint).toBe(new SynapClient({ apiKey: NEW, baseUrl: 'http://127.0.0.1:9' }).fingerprint);
  });

  it('is asked once for requests at the same time', async () => {
    const apiKey = vi.fn(async () => NEW);
    const { send } = await synapFor(apiKey);
    await Promise.all([send(), send(), send()]);
    expect(apiKey).toHaveBeenCalledTimes(1);
  });

  it('is asked again after a 401, and the request is sent again with another key', async () => {
    const apiKey = vi.fn().mockReturnValueOnce(OLD).mockReturnValue(NEW);
    const { client, send, keys } = await synapFor(apiKey);
    await send();
    expect(keys()).toEqual([OLD, NEW]);
    await client.conversation.recordMessagesBatch([message]);
    expect(apiKey).toHaveBeenCalledTimes(2);
  });

  it('is asked once after the 401s of requests at the same time', async () => {
    const apiKey = vi
      .fn()
      .mockReturnValueOnce(OLD)
      .mockImplementation(async () => NEW);
    let waiting: (() => void)[] = [];
    const { send, keys } = await synapFor(apiKey, NEW, async ({ headers }) => {
      if (headers.authorization === `Bearer ${NEW}`) return undefined;
      // All are refused at once.
      await new Promise<void>(resolve => {
        waiting.push(resolve);
        if (waiting.length < 3) return;
        for (const answer of waiting) answer();
        waiting = [];
      });
      return { status: 401 };
    });
    await Promise.all([send(), send(), send()]);
    expect(apiKey).toHaveBeenCalledTimes(2);
    expect(keys().sort()).toEqual([NEW, NEW, NEW, OLD, OLD, OLD]);
  });

  it('that gives the same key again is no reason to send again', async () => {
    const { send, keys } = await synapFor(() => OLD);
    expect(await failure(send())).toBeInstanceOf(AuthenticationError);
    expect(keys()).toEqual([OLD]);
  });

  it('that gives another wrong key is the end of it', async () => {
    const apiKey = vi.fn().mockReturnValueOnce('first-wrong-key').mockReturnValue('second-wrong-key');
    const { send, keys } = await synapFor(apiKey);
    expect(await failure(send())).toMatchObject({ status: 401 });
    expect(keys()).toEqual(['first-wrong-key', 'second-wrong-key']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error(NEW);
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error(NEW);
      },
    ],
    ['gives nothing', () => undefined],
    ['gives an empty text', () => ' '],
    ['gives an object', () => ({ key: NEW })],
    ['gives what can not be sent', () => `${NEW}\nx`],
  ])('that %s is an error of the account that says so, without the value', async (_, apiKey) => {
    const { synap, send } = await synapFor(apiKey);
    const error = await failure(send());
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({ about: 'account', stored: 'no' });
    expect(error?.message).toMatch(/the function that was passed as apiKey/i);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(NEW);
    expect(synap.requests).toEqual([]);
  });

  it('that failed is asked again by the next request', async () => {
    const apiKey = vi.fn().mockRejectedValueOnce(new Error('vault is away')).mockReturnValue(NEW);
    const { send } = await synapFor(apiKey);
    expect(await failure(send())).toBeInstanceOf(AuthenticationError);
    await send();
  });

  it('that never answers ends with the time of the request', async () => {
    const { client } = await synapFor(() => new Promise(() => {}));
    const error = await failure(client.whoami({ timeoutMs: 30 }));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error?.message).toContain('did not answer within 30 ms');
  });

  it('that is still asked when the call is aborted has sent nothing', async () => {
    const end = new AbortController();
    const { client } = await synapFor(() => {
      setImmediate(() => end.abort());
      return new Promise(() => {});
    });
    const error = await failure(client.conversation.recordMessage(message, { signal: end.signal }));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ stored: 'no' });
  });

  it('keeps both keys out of errors', async () => {
    const apiKey = vi.fn().mockReturnValueOnce(OLD).mockReturnValue(NEW);
    const { send } = await synapFor(apiKey, 'neither', () => ({ status: 401, json: { detail: `${OLD} or ${NEW}` } }));
    const error = await failure(send());
    expect(error?.message).toContain('*** or ***');
  });

  it('needs no key at construction, and leaves the environment alone', async () => {
    vi.stubEnv('SYNAP_API_KEY', 'of-the-environment');
    const { send, keys } = await synapFor(() => NEW);
    await send();
    expect(keys()).toEqual([NEW]);
  });

  it('works for a recorder', async () => {
    const { synap, keys } = await synapFor(() => NEW);
    const recorder = createRecorder({ apiKey: async () => NEW, baseUrl: synap.url, userId: 'ada', logger: false });
    const turn = recorder.turn();
    turn.user('Hi');
    turn.complete({ content: 'Hello' });
    expect(await recorder.flush()).toMatchObject({ delivered: 2 });
    expect(keys()).toEqual([NEW]);
    await recorder.close();
  });
});

it('a key that is a text is not asked for again after a 401', async () => {
  const { synap } = await synapFor(() => NEW);
  const client = new SynapClient({ apiKey: OLD, baseUrl: synap.url });
  expect(SynapError.is(await failure(client.conversation.recordMessage(message)))).toBe(true);
  expect(synap.requests).toHaveLength(1);
  await client.close();
});
