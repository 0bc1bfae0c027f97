// POST /v1/conversations/messages: what is stored, what is refused.

import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import { aMessage, call, readConversation, record, start, tempDatabase } from './support.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

test('a message is answered with a receipt of exactly the four documented fields', async () => {
  const local = await start();
  const message = aMessage({ session_id: 'session-1' });
  const { status, body } = await record(local, message);
  expect(status).toBe(200);
  expect(body).toEqual({
    message_id: expect.stringMatching(UUID),
    conversation_id: message.conversation_id,
    session_id: 'session-1',
    recorded_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  });
  expect(Math.abs(Date.now() - Date.parse(body.recorded_at))).toBeLessThan(60_000);
});

test('what went in comes out, to the last character', async () => {
  const local = await start({ strictB2c: false });
  const content = 'line\nbreak\ttab \u0000 nul "quotes" \\ 👩‍👩‍👧 日本語 \u2028';
  const metadata = { model: 'm', deep: { list: [1, 2.5, null, true, { 'a"b': '\u0000' }] }, big: 1e300 };
  const message = aMessage({ content, metadata, role: 'assistant', customer_id: 'acme', session_id: 's' });
  const { body: receipt } = await record(local, message);
  const { body } = await readConversation(local, message.conversation_id);
  expect(body).toEqual({
    messages: [{ ...receipt, role: 'assistant', content, user_id: 'ada', customer_id: 'acme', metadata }],
    next_cursor: null,
  });
});

test('an empty content is a message too', async () => {
  const local = await start();
  const message = aMessage({ content: '' });
  expect((await record(local, message)).status).toBe(200);
  expect((await readConversation(local, message.conversation_id)).body.messages[0].content).toBe('');
});

test('half a surrogate pair does not keep a message out', async () => {
  const local = await start();
  const message = aMessage({ content: 'cut \ud83d', metadata: { tag: '\ud83d' } });
  expect((await record(local, message)).status).toBe(200);
  const [stored] = (await readConversation(local, message.conversation_id)).body.messages;
  expect(stored).toMatchObject({ content: 'cut \ufffd', metadata: { tag: '\ufffd' } });
});

test('a conversation id is the same in any case, and answered in lower case', async () => {
  const local = await start();
  const id = '0A0B0C0D-1111-4222-8333-ABCDEFABCDEF';
  expect((await record(local, aMessage({ conversation_id: id }))).body.conversation_id).toBe(id.toLowerCase());
  await record(local, aMessage({ conversation_id: id.toLowerCase() }));
  expect((await readConversation(local, id)).body.messages).toHaveLength(2);
});

test('a conversation without sessions gets one made up, and keeps it', async () => {
  const local = await start();
  const message = aMessage();
  const { session_id: madeUp } = (await record(local, message)).body;
  expect(madeUp).toMatch(UUID);
  expect((await record(local, message)).body.session_id).toBe(madeUp);
  expect((await record(local, { ...message, session_id: 'given' })).body.session_id).toBe('given');
  expect((await record(local, message)).body.session_id).toBe(madeUp);
  expect((await record(local, aMessage())).body.session_id).not.toBe(madeUp);
});

test('fields that are null are fields that are missing', async () => {
  const local = await start();
  const message = aMessage({ customer_id: null, session_id: null, metadata: null });
  expect((await record(local, message)).status).toBe(200);
  expect((await readConversation(local, message.conversation_id)).body.messages[0].metadata).toEqual({});
});

test('fields that are not known are passed over', async () => {
  const local = await start();
  expect((await record(local, aMessage({ flavour: 'vanilla' }))).status).toBe(200);
});

const secret = 'my-secret-text';
test.each([
  ['conversation_id', undefined],
  ['conversation_id', secret],
  ['conversation_id', 7],
  ['role', undefined],
  ['role', 'system'],
  ['role', secret],
  ['content', undefined],
  ['content', null],
  ['content', { text: secret }],
  ['user_id', undefined],
  ['user_id', ''],
  ['user_id', '  '],
  ['user_id', null],
  ['user_id', [secret]],
  ['customer_id', ''],
  ['customer_id', 7],
  ['session_id', ''],
  ['session_id', { secret }],
  ['metadata', secret],
  ['metadata', [secret]],
  ['metadata', 7],
])('a wrong %s (%j) is refused by name, and nothing that was sent is repeated', async (field, value) => {
  const local = await start();
  const { status, body } = await record(local, aMessage({ content: secret, [field]: value }));
  expect(status).toBe(422);
  expect(Object.keys(body)).toEqual(['detail']);
  expect(body.detail).toMatch(new RegExp(`^${field} (must|is) `));
  expect(body.detail).not.toContain(secret);
  expect((await call(local, 'GET', '/v1/conversations')).body.conversations).toEqual([]);
});

test('metadata nested without end is refused, and the server stays up', async () => {
  const local = await start();
  const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
  const { status, body } = await record(
    local,
    JSON.stringify(aMessage({ metadata: 0 })).replace('"metadata":0', `"metadata":${deep}`),
  );
  expect(status).toBe(422);
  expect(body.detail).toMatch(/^metadata must be JSON, but is nested/);
  expect((await record(local, aMessage())).status).toBe(200);
});

test.each([
  ['half an object', '{"content":'],
  ['nothing', ''],
  ['words', secret],
])('a body of %s is malformed', async (_what, text) => {
  const local = await start();
  const { status, body } = await call(local, 'POST', '/v1/conversations/messages', text);
  expect(status).toBe(400);
  expect(body).toEqual({ detail: 'The body is not valid JSON' });
});

test('a body that is not UTF-8 is malformed, and not stored in part', async () => {
  const local = await start();
  const bytes = Buffer.from(JSON.stringify(aMessage({ content: 'caf\u00e9' })), 'latin1');
  const response = await fetch(`${local.url}/v1/conversations/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${local.apiKey}`, 'content-type': 'application/json' },
    body: bytes,
  });
  expect(response.status).toBe(400);
});

test.each([['null'], ['[]'], ['"text"'], ['7']])('a body of %s is refused as not being a message', async text => {
  const local = await start();
  const { status, body } = await call(local, 'POST', '/v1/conversations/messages', text);
  expect(status).toBe(422);
  expect(body.detail).toBe('message must be an object');
});

test('a failure inside is a 500 whose log line holds nothing of the message', async () => {
  const database = tempDatabase();
  const local = await start({ database });
  const other = new DatabaseSync(database);
  other.exec('PRAGMA foreign_keys = OFF; DROP TABLE messages');
  other.close();
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    const { status, body } = await record(local, aMessage({ content: secret, user_id: secret }));
    expect(status).toBe(500);
    expect(body).toEqual({ detail: 'Internal Server Error' });
    const log = stderr.mock.calls.join('\n');
    expect(log).toMatch(/POST \/v1\/conversations\/messages failed: SQLite error 1 at /);
    expect(log).not.toContain(secret);
  } finally {
    stderr.mockRestore();
  }
});

test('messages are in the order they were accepted in, however many come at once', async () => {
  const local = await start();
  const conversation_id = aMessage().conversation_id;
  const receipts = await Promise.all(
    Array.from({ length: 100 }, (_, index) => record(local, aMessage({ conversation_id, content: String(index) }))),
  );
  const { messages } = (await readConversation(local, conversation_id, '?limit=500')).body;
  expect(messages).toHaveLength(100);
  expect(new Set(messages.map((message: { message_id: string }) => message.message_id))).toEqual(
    new Set(receipts.map(({ body }) => body.message_id)),
  );
  const times = messages.map((message: { recorded_at: string }) => message.recorded_at);
  expect(times).toEqual([...times].sort());
});

test('order survives a clock that steps back', async () => {
  const local = await start();
  const message = aMessage();
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2030-01-01T00:00:00Z') });
  try {
    await record(local, { ...message, content: 'first' });
    vi.setSystemTime(new Date('2020-01-01T00:00:00Z'));
    await record(local, { ...message, content: 'second' });
  } finally {
    vi.useRealTimers();
  }
  const { messages } = (await readConversation(local, message.conversation_id)).body;
  expect(messages.map((stored: { content: string }) => stored.content)).toEqual(['first', 'second']);
  expect(messages[0].recorded_at).toBe('2030-01-01T00:00:00.000Z');
});

test.each(['user_id', 'customer_id', 'session_id'])('a NUL in %s is refused', async field => {
  const local = await start();
  const { status, body } = await record(local, aMessage({ [field]: 'a\u0000b' }));
  expect(status).toBe(422);
  expect(body.detail).toBe(`${field} must not contain a NUL`);
});
