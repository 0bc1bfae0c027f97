import { afterEach, describe, expect, it, vi } from 'vitest';
import { createRecorder, SynapClient, type SynapClientOptions } from '../../src/index.js';
import type { WireMessage } from '../../src/synap/messages.js';
import { type Answer, type Script, type SeenRequest, scriptedSynap } from '../support/scripted-synap.js';

const KEY = 'sk-very-secret-0123456789';
const message = {
  conversationId: '0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e',
  role: 'user',
  content: 'Hello',
  userId: 'ada',
  customerId: 'acme',
} as const;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function synapThat(
  refuses: Script,
  { whoami, ...options }: Partial<SynapClientOptions> & { whoami?: (index: number) => Answer | Promise<Answer> } = {},
) {
  const synap = await scriptedSynap(refuses, { whoami: whoami ?? (() => ({ json: {} })) });
  const log: string[] = [];
  const client = new SynapClient({
    apiKey: KEY,
    baseUrl: synap.url,
    logger: { warn: line => log.push(line) },
    ...options,
  });
  closing.push(
    () => client.close(),
    () => synap.close(),
  );
  return { synap, client, log, ...client.conversation };
}

const customers = ({ messages }: SeenRequest) => messages.map(({ customer_id }) => customer_id);
const sentCustomers = (synap: { requests: SeenRequest[] }) => synap.requests.map(request => customers(request)[0]);
const b2c = () => ({ json: { user_context_isolation: 'equals_customer' } });
const b2b = () => ({ json: { user_context_isolation: 'strict' } });

/** A B2C instance that refuses each request with a `customer_id`. */
const strict =
  (
    json: unknown = { detail: "customer_id must not be passed: user_context_isolation='equals_customer'" },
    status = 400,
  ): Script =>
  request =>
    customers(request).some(customer => customer !== undefined) ? { status, json } : undefined;

/** One that wants the user's id in it. */
const required =
  (detail = "customer_id is required on this instance, pass the user's id"): Script =>
  request =>
    request.messages.every(({ customer_id, user_id }) => customer_id === user_id)
      ? undefined
      : { status: 400, json: { detail } };

/** A B2B instance. */
const multiTenant: Script = request =>
  customers(request).every(customer => customer === 'acme')
    ? undefined
    : { status: 400, json: { detail: 'user_id and customer_id are required' } };

describe('a message that is refused for its customer_id', () => {
  it.each([
    ['a text', { detail: 'customer_id is not allowed' }],
    ['a code', { detail: { code: 'customer_id_not_allowed', message: 'This instance resolves it' } }],
    ['the third form', { error: 'Not allowed here', code: 'INVALID_INPUT', details: { field: 'customer_id' } }],
    ['a list', { detail: [{ loc: ['body', 'customer_id'], msg: 'Extra inputs are not permitted' }] }],
    ['the mode alone', { detail: "instance has user_context_isolation='equals_customer'" }],
    ['no reason', { error: 'Invalid input', details: { field: 'customer_id' } }],
  ])('is sent again without it, at once: %s', async (_, json) => {
    const { synap, recordMessage } = await synapThat(strict(json));
    expect(await recordMessage(message)).toMatchObject({ messageId: 'm0' });
    expect(sentCustomers(synap)).toEqual(['acme', undefined]);
    expect(synap.stored).toMatchObject([{ content: 'Hello', metadata: { external_customer_id: 'acme' } }]);
  });

  it('is sent again without it, where the words only seem to want another one', async () => {
    const { synap, recordMessage, recordMessagesBatch } = await synapThat(
      strict({ detail: 'customer_id: no value expected' }),
    );
    await recordMessage(message);
    expect(await recordMessagesBatch([message, message])).toMatchObject({ succeeded: 2 });
    expect(sentCustomers(synap)).toEqual(['acme', undefined, undefined]);
  });

  it('may be refused with 422, too', async () => {
    const { synap, recordMessage } = await synapThat(strict({ detail: 'customer_id is not allowed' }, 422));
    await recordMessage(message);
    expect(synap.stored).toHaveLength(1);
  });

  it('makes the client remember it, and say it once', async () => {
    const { synap, log, recordMessage, recordMessagesBatch } = await synapThat(strict());
    await recordMessage(message);
    await recordMessage(message);
    await recordMessagesBatch([message, message]);
    expect(sentCustomers(synap)).toEqual(['acme', undefined, undefined, undefined]);
    expect(log).toEqual([expect.stringContaining('customer_id is left out from now on')]);
  });

  it("keeps the app's own external_customer_id", async () => {
    const { synap, recordMessage } = await synapThat(strict());
    await recordMessage({ ...message, metadata: { external_customer_id: 'own', tag: 1 } });
    expect(synap.stored[0]?.metadata).toEqual({ external_customer_id: 'own', tag: 1 });
  });

  it('tells a caller that it is stored only once it is', async () => {
    const onAccepted = vi.fn();
    const { synap, recordMessage } = await synapThat(request => {
      if (request.messages[0]?.customer_id === undefined) return undefined;
      expect(onAccepted).not.toHaveBeenCalled();
      return strict()(request, 0, {} as never);
    });
    await recordMessage(message, { onAccepted });
    expect(onAccepted).toHaveBeenCalledTimes(1);
    expect(synap.stored).toHaveLength(1);
  });

  it('is left to the app where it is refused for something else', async () => {
    const { synap, recordMessage } = await synapThat(() => ({ status: 400, json: { detail: 'content is too rude' } }));
    await expect(recordMessage(message)).rejects.toMatchObject({ status: 400 });
    expect(synap.requests).toHaveLength(1);
  });

  it('is left to the app where only its own words name the field', async () => {
    const content = 'Is customer_id not allowed any more?';
    const { synap, recordMessage } = await synapThat(() => ({ status: 400, json: { detail: `too rude: ${content}` } }));
    await expect(recordMessage({ ...message, content })).rejects.toMatchObject({ status: 400 });
    expect(synap.requests).toHaveLength(1);
  });

  it.each([401, 403, 404, 409, 500])('is not sent again after a %d', async status => {
    const { synap, recordMessage } = await synapThat(() => ({
      status,
      json: { detail: 'customer_id is not allowed' },
    }));
    await expect(recordMessage(message)).rejects.toMatchObject({ status });
    expect(synap.requests).toHaveLength(1);
  });

  it('never goes in a circle', async () => {
    const { synap, recordMessage } = await synapThat(request => {
      const given = customers(request)[0] !== undefined;
      return {
        status: 400,
        json: { detail: `customer_id is ${given ? 'not allowed' : "required, pass the user's id"}` },
      };
    });
    await expect(recordMessage(message)).rejects.toMatchObject({ status: 400 });
    expect(sentCustomers(synap)).toEqual(['acme', undefined, 'ada']);
  });
});

describe('an instance that wants a customer_id', () => {
  it("and says that it is the user's gets it, and keeps the app's own", async () => {
    const { synap, log, recordMessage } = await synapThat(required());
    await recordMessage(message);
    await recordMessage(message);
    expect(sentCustomers(synap)).toEqual(['acme', 'ada', 'ada']);
    expect(synap.stored[0]?.metadata).toEqual({ external_customer_id: 'acme' });
    expect(log).toEqual([expect.stringContaining("customer_id is the user's id from now on")]);
  });

  it("gets the user's of a message without a customer, and no metadata of it", async () => {
    const { customerId: _, ...anonymous } = message;
    const { synap, recordMessage } = await synapThat(required());
    await recordMessage(anonymous);
    expect(sentCustomers(synap)).toEqual([undefined, 'ada']);
    expect(synap.stored[0]).not.toHaveProperty('metadata');
  });

  it("gets the user's id where whoami says that it is B2C, whatever its words", async () => {
    const { customerId: _, ...anonymous } = message;
    const { synap, recordMessage } = await synapThat(required('customer_id: field required'), { whoami: b2c });
    await recordMessage(anonymous);
    expect(sentCustomers(synap)).toEqual([undefined, 'ada']);
    expect(synap.whoamis).toHaveLength(1);
  });

  it.each([
    ['whoami says that it is B2B', b2b],
    ['whoami does not say', () => ({ json: {} })],
    ['there is no whoami', () => ({ status: 404 })],
    ['whoami breaks', (): Answer => ({ reset: 'before storing' })],
  ])('gets none, and the message fails, where %s: it could be read by the wrong people', async (_, whoami) => {
    const { customerId: __, ...anonymous } = message;
    const { synap, recordMessage } = await synapThat(multiTenant, { whoami });
    await expect(recordMessage(anonymous)).rejects.toMatchObject({ status: 400, about: 'message' });
    expect(sentCustomers(synap)).toEqual([undefined]);
  });

  it("with tenancy b2c gets the user's id after it refused none", async () => {
    const { synap, recordMessage } = await synapThat(required('customer_id is missing'), { tenancy: 'b2c' });
    await recordMessage(message);
    expect(sentCustomers(synap)).toEqual([undefined, 'ada']);
    expect(synap.whoamis).toEqual([]);
  });
});

describe('B2B', () => {
  it.each([
    ['by the option', { tenancy: 'b2b' }],
    ['by whoami', { whoami: b2b }],
  ] as const)('%s is sent what was given, and no refusal changes that', async (_, options) => {
    const { synap, client, recordMessage } = await synapThat(strict(), options);
    await client.whoami();
    await expect(recordMessage(message)).rejects.toMatchObject({ status: 400 });
    expect(sentCustomers(synap)).toEqual(['acme']);
  });

  it('gets what was given', async () => {
    const { synap, recordMessage } = await synapThat(multiTenant, { whoami: b2b });
    await recordMessage(message);
    expect(synap.stored).toMatchObject([{ customer_id: 'acme' }]);
  });
});

describe('B2C that is known', () => {
  it('by the option gets no customer_id, and is not asked', async () => {
    const { synap, log, recordMessage } = await synapThat(() => undefined, { tenancy: 'b2c' });
    await recordMessage(message);
    expect(synap.stored).toMatchObject([{ metadata: { external_customer_id: 'acme' } }]);
    expect(sentCustomers(synap)).toEqual([undefined]);
    expect(synap.whoamis).toEqual([]);
    expect(log).toEqual([]);
  });

  it('by whoami(), or told so, gets none', async () => {
    for (const learn of [
      (client: SynapClient) => client.whoami(),
      (client: SynapClient) => client.learnTenancy('b2c'),
    ]) {
      const { synap, client, recordMessage } = await synapThat(() => undefined, { whoami: b2c });
      await learn(client);
      await recordMessage(message);
      expect(sentCustomers(synap)).toEqual([undefined]);
    }
  });

  it('by the option stands, whatever is learned', async () => {
    const { synap, client, recordMessage } = await synapThat(() => undefined, { tenancy: 'b2c', whoami: b2b });
    await client.whoami();
    await recordMessage(message);
    expect(sentCustomers(synap)).toEqual([undefined]);
  });

  it('leaves it out of the other calls, too', async () => {
    const { synap, client } = await synapThat(() => ({ json: {} }), { tenancy: 'b2c' });
    const { conversationId, userId, customerId } = message;
    await client.conversation.context.fetch({ conversationId, userId, customerId });
    await client.conversation.ingest({ conversationId, userId, customerId, transcript: 'Hello' });
    expect(synap.requests[0]?.body).not.toHaveProperty('customer_id');
    expect(synap.requests[0]?.body).not.toHaveProperty('metadata');
    expect(synap.requests[1]?.body).toMatchObject({ metadata: { external_customer_id: 'acme' } });
  });
});

describe('another call that is refused for its customer_id', () => {
  const { conversationId, userId, customerId } = message;
  const refuses: Script = ({ body }) =>
    (body as WireMessage).customer_id === undefined
      ? { json: { status: 'accepted' } }
      : { status: 400, json: { detail: 'customer_id is not allowed' } };

  it('is sent again without it: fetch, with no metadata', async () => {
    const { synap, client } = await synapThat(refuses);
    await client.conversation.context.fetch({ conversationId, userId, customerId });
    expect(synap.requests).toHaveLength(2);
    expect(synap.requests[1]?.body).not.toHaveProperty('metadata');
  });

  it('is sent again without it: ingest, with the customer in the metadata', async () => {
    const { synap, client, recordMessage } = await synapThat(refuses);
    await client.conversation.ingest({ conversationId, userId, customerId, transcript: 'Hello' });
    expect(synap.requests[1]?.body).toMatchObject({ metadata: { external_customer_id: 'acme' } });
    await recordMessage(message);
    expect(synap.requests).toHaveLength(3);
  });
});

describe('the question of whoami in the background', () => {
  it('is asked with the first message that names a customer, once, and nothing waits for it', async () => {
    const { synap, recordMessage } = await synapThat(() => undefined, { whoami: () => new Promise(() => {}) });
    await Promise.all([recordMessage(message), recordMessage(message)]);
    await recordMessage(message);
    expect(synap.stored).toHaveLength(3);
    await vi.waitFor(() => expect(synap.whoamis).toHaveLength(1));
    synap.close();
  });

  it('is asked again, where a message is refused, if no answer came before', async () => {
    const whoami = (index: number): Answer => (index === 0 ? { reset: 'before storing' } : b2c());
    const { synap, recordMessage } = await synapThat(required('customer_id: field required'), { whoami });
    await recordMessage(message);
    expect(sentCustomers(synap)).toEqual(['acme', 'ada']);
  });

  it('changes what is sent once it is answered', async () => {
    const { synap, recordMessage } = await synapThat(() => undefined, { whoami: b2c });
    await vi.waitFor(async () => {
      await recordMessage(message);
      expect(sentCustomers(synap).at(-1)).toBeUndefined();
    });
    expect(synap.whoamis).toHaveLength(1);
  });

  it('is not asked by an app without customers', async () => {
    const { customerId: _, ...anonymous } = message;
    const { synap, recordMessage, recordMessagesBatch } = await synapThat(() => undefined);
    await recordMessage(anonymous);
    await recordMessagesBatch([anonymous]);
    expect(synap.whoamis).toEqual([]);
  });

  it.each([401, 404, 500])('is not asked again after a %d', async status => {
    const { synap, log, recordMessage } = await synapThat(() => undefined, { whoami: () => ({ status }) });
    await recordMessage(message);
    await vi.waitFor(() => expect(synap.whoamis).toHaveLength(1));
    await recordMessage(message);
    await recordMessage(message);
    expect(synap.whoamis).toHaveLength(1);
    expect(log).toEqual([]);
  });
});

describe('a batch', () => {
  it('that is refused as a whole is sent again whole', async () => {
    const { synap, recordMessagesBatch } = await synapThat(strict());
    const result = await recordMessagesBatch([message, { ...message, customerId: undefined }, message]);
    expect(result).toMatchObject({ succeeded: 3, failed: 0 });
    expect(synap.requests.map(customers)).toEqual([
      ['acme', undefined, 'acme'],
      [undefined, undefined, undefined],
    ]);
  });

  const refuseSome =
    (isWrong: (message: WireMessage) => boolean, error: unknown): Script =>
    ({ messages }) => ({
      json: { results: messages.map(sent => (isWrong(sent) ? { error } : { message_id: sent.content })) },
    });
  const hasCustomer = ({ customer_id }: WireMessage) => customer_id !== undefined;
  const named = (content: string, customerId?: string) => ({ ...message, content, customerId });

  it.each([
    ['a text', 'customer_id is not allowed'],
    ['an object', { code: 'X', message: 'not allowed', field: 'customer_id' }],
  ])('of which some are refused sends only those again, and puts their results in place: %s', async (_, error) => {
    const { synap, log, recordMessagesBatch } = await synapThat(refuseSome(hasCustomer, error));
    const result = await recordMessagesBatch([named('a', 'acme'), named('b'), named('c', 'acme')]);
    expect(result).toMatchObject({ total: 3, succeeded: 3, failed: 0 });
    expect(result.results.map(({ messageId }) => messageId)).toEqual(['a', 'b', 'c']);
    expect(synap.requests.map(({ messages }) => messages.map(({ content }) => content))).toEqual([
      ['a', 'b', 'c'],
      ['a', 'c'],
    ]);
    expect(log).toHaveLength(1);
  });

  it("of which some lack a customer sends those again with the user's id", async () => {
    const wrong = ({ customer_id, user_id }: WireMessage) => customer_id !== user_id;
    const { recordMessagesBatch, synap } = await synapThat(
      refuseSome(wrong, "customer_id is required: pass the user's id"),
    );
    expect(await recordMessagesBatch([named('a'), named('b', 'ada')])).toMatchObject({ succeeded: 2 });
    expect(synap.requests.map(customers)).toEqual([[undefined, 'ada'], ['ada']]);
  });

  it('keeps the other refusals as they are', async () => {
    const { recordMessagesBatch } = await synapThat(({ messages }) => ({
      json: {
        results: messages.map(({ content, customer_id }) =>
          content === 'rude' ? { error: 'busy' } : customer_id ? { error: 'customer_id is not allowed' } : {},
        ),
      },
    }));
    const { results } = await recordMessagesBatch([named('rude', 'acme'), named('b', 'acme')]);
    expect(results.map(({ error }) => error)).toEqual(['busy', undefined]);
  });

  it.each([
    ['is unknown where the second answer does not come', { reset: 'before storing' }, 'unknown'],
    ['stays refused where the second request is not taken', { status: 429 }, 'error'],
  ] as const)('of which one was sent again, %s', async (_, second, field) => {
    const { recordMessagesBatch } = await synapThat((request, index, raw) =>
      index === 0 ? refuseSome(hasCustomer, 'customer_id is not allowed')(request, index, raw) : second,
    );
    const { results } = await recordMessagesBatch([named('a', 'acme'), named('b')]);
    expect(results[0]?.[field]).toEqual(expect.any(String));
    expect(results[1]).toMatchObject({ messageId: 'b' });
  });
});

it('a later answer that contradicts what was remembered is healed the other way', async () => {
  let refuses = strict();
  const { synap, recordMessage } = await synapThat((...request) => refuses(...request));
  await recordMessage(message);
  refuses = multiTenant;
  await recordMessage(message);
  expect(sentCustomers(synap)).toEqual(['acme', undefined, undefined, 'acme']);
  refuses = strict();
  await recordMessage(message);
  expect(synap.stored).toHaveLength(3);
});

it('a recorder on a strict B2C instance loses nothing, though the app names customers', async () => {
  const { synap } = await synapThat(strict());
  const warn = vi.fn();
  const recorder = createRecorder({
    apiKey: KEY,
    baseUrl: synap.url,
    userId: 'ada',
    customerId: 'acme',
    logger: { info() {}, warn, error() {} },
  });
  for (let n = 0; n < 3; n++) {
    const turn = recorder.turn();
    turn.user('Hi');
    turn.complete({ content: 'Hello' });
  }
  expect(await recorder.flush()).toEqual({ delivered: 6, pending: 0, deadLettered: 0 });
  expect(synap.stored).toHaveLength(6);
  expect(warn.mock.calls.filter(([line]) => line.includes('customer_id'))).toHaveLength(1);
  await recorder.close();
});
