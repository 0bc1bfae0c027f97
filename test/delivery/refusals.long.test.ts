// One disliked request never stops the rest, and an account that is refused loses nothing: each with 500 messages that wait.

import { describe, expect, it } from 'vitest';
import { memoryOutbox } from '../../src/index.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { balanced, recorderOn } from '../support/recorder.js';
import type { Answer, Script, SeenRequest } from '../support/scripted-synap.js';
import { tempFile } from './outbox-support.js';

const BACKLOG = 500;
const CONVERSATIONS = 50;
const DISLIKED = 'DROP TABLE students';

const OUTBOXES = [
  ['memory', () => memoryOutbox()],
  ['SQLite', () => sqliteOutbox({ path: tempFile() })],
] as const;

const FIREWALL = { headers: { 'content-type': 'text/html' }, text: '<html><h1>Request blocked</h1></html>' };

async function withBacklog(script: Script, outbox = memoryOutbox() as ReturnType<(typeof OUTBOXES)[number][1]>) {
  const on = await recorderOn(script, { outbox, conversationScope: 'app' });
  return { ...on, [Symbol.asyncDispose]: () => on[Symbol.asyncDispose]() };
}

/** `disliked` are the places of messages with the text that a firewall dislikes. */
function say(on: { recorder: { turn: CallableFunction } }, count = BACKLOG, disliked: readonly number[] = []): void {
  for (let n = 0; n < count; n++)
    on.recorder
      .turn({ conversationId: `c${n % CONVERSATIONS}` })
      .user(disliked.includes(n) ? `${n} ${DISLIKED}` : `${n} hello`);
}

const arrived = (on: { synap: { stored: { content: string }[] } }) =>
  on.synap.stored.map(({ content }) => Number.parseInt(content, 10));

/** What arrived, by conversation, in the order of arrival. */
function expectInOrder(on: { synap: { stored: { content: string }[] } }, expected: readonly number[]): void {
  const places = arrived(on);
  expect([...places].sort((a, b) => a - b)).toEqual(expected);
  for (let chat = 0; chat < CONVERSATIONS; chat++) {
    const ofChat = places.filter(place => place % CONVERSATIONS === chat);
    expect(ofChat).toEqual([...ofChat].sort((a, b) => a - b));
  }
}

const all = Array.from({ length: BACKLOG }, (_, n) => n);

describe.each(OUTBOXES)('with 500 messages in %s,', (_, makeOutbox) => {
  describe.each([403, 404, 405, 406, 410, 451])('a firewall that answers %i to one text', status => {
    it('costs that text and nothing else', async () => {
      const dislikes: Script = ({ messages }) =>
        messages.some(({ content }) => content.includes(DISLIKED)) ? { status, ...FIREWALL } : undefined;
      await using on = await withBacklog(dislikes, makeOutbox());
      const disliked = [0, 7, 57, 58, 499];
      say(on, BACKLOG, disliked);
      expect(await on.recorder.flush({ timeoutMs: 20_000 })).toEqual({ delivered: 495, pending: 0, deadLettered: 5 });
      expectInOrder(
        on,
        all.filter(n => !disliked.includes(n)),
      );
      expect(on.losses.map(({ reason }) => reason)).toEqual(Array(5).fill('rejected'));
      balanced(on.recorder);
    });
  });

  it('a firewall that dislikes the first twelve messages of one conversation, and nothing else waits, costs those', async () => {
    const dislikes: Script = ({ messages }) =>
      messages.some(({ content }) => content.includes(DISLIKED)) ? { status: 403, ...FIREWALL } : undefined;
    await using on = await withBacklog(dislikes, makeOutbox());
    for (let n = 0; n < 12; n++) on.recorder.turn({ conversationId: 'c' }).user(`${n} ${DISLIKED}`);
    on.recorder.turn({ conversationId: 'c' }).user('12 hello');
    expect(await on.recorder.flush({ timeoutMs: 20_000 })).toEqual({ delivered: 1, pending: 0, deadLettered: 12 });
  });

  it.each([403, 404])(
    'an account that is suspended (%i) loses nothing, and all arrive in order when it is restored',
    async status => {
      let suspended = true;
      const detail = 'This account is suspended';
      await using on = await withBacklog(() => (suspended ? { status, json: { detail } } : undefined), makeOutbox());
      say(on);
      await on.recorder.flush({ timeoutMs: 700 });
      // A round may be under way.
      const { held, inFlight, ...stats } = balanced(on.recorder);
      expect([held + inFlight, stats]).toMatchObject([BACKLOG, { pending: 0, deadLettered: 0, expired: 0 }]);
      expect(on.losses).toEqual([]);
      expect(on.log.filter(line => line.includes('paused'))).toHaveLength(1);
      expect(on.log.join('\n')).toContain(detail);
      suspended = false;
      expect(await on.recorder.flush({ timeoutMs: 20_000 })).toEqual({ delivered: 500, pending: 0, deadLettered: 0 });
      expectInOrder(on, all);
      expect(balanced(on.recorder)).toMatchObject({ delivered: BACKLOG, held: 0, possibleDuplicates: 0 });
    },
  );

  it.each([
    ['for a text', (request: SeenRequest) => request.messages.some(({ content }) => content.includes(DISLIKED))],
    ['for its size', (request: SeenRequest) => request.messages.length > 7],
  ])('an account that is suspended while a batch is halved %s loses nothing but that text', async (_, isDisliked) => {
    for (const at of [2, 4, 8]) {
      let suspended = true;
      const script: Script = (request, index) =>
        (suspended && index >= at) || isDisliked(request) ? { status: 403, ...FIREWALL } : undefined;
      await using on = await withBacklog(script, makeOutbox());
      say(on, 50, [49]);
      await on.recorder.flush({ timeoutMs: 200 });
      expect(balanced(on.recorder)).toMatchObject({ deadLettered: 0, expired: 0 });
      suspended = false;
      await on.recorder.flush({ timeoutMs: 300 });
      // Another one tells that the account is not to blame.
      on.recorder.turn({ conversationId: 'another' }).user('50 hello');
      await on.recorder.flush({ timeoutMs: 10_000 });
      const dead = isDisliked({ messages: [{ content: DISLIKED }] } as SeenRequest) ? 1 : 0;
      expect(balanced(on.recorder)).toMatchObject({ delivered: 51 - dead, deadLettered: dead });
    }
  });

  it('an account that is suspended again and again loses nothing', async () => {
    // Restored for eight requests, and suspended for thirty.
    const script: Script = (_, index) => (index % 38 >= 8 ? { status: 403, json: { detail: 'suspended' } } : undefined);
    await using on = await withBacklog(script, makeOutbox());
    say(on);
    expect(await on.recorder.flush({ timeoutMs: 20_000 })).toEqual({ delivered: 500, pending: 0, deadLettered: 0 });
    expectInOrder(on, all);
  });

  it.each<[string, Answer]>([
    ['a proxy that wants signing in', { status: 407, ...FIREWALL }],
    ['a captive portal', { status: 200, ...FIREWALL }],
    ['a captive portal that redirects', { status: 302, headers: { location: 'http://login.example/' } }],
    ['a server for another name', { status: 421 }],
    ['a proxy that gave up', { status: 499 }],
    ['a load balancer that hung up', { status: 460 }],
    ['a server that closed the connection', { status: 444 }],
    ['a request that came too early', { status: 425 }],
  ])('%s loses nothing, and all arrive in order when it has passed', async (_, answer) => {
    let isInTheWay = true;
    await using on = await withBacklog(() => (isInTheWay ? answer : undefined), makeOutbox());
    // A page of a portal is a 2xx, which the scripted server takes for stored.
    say(on);
    await on.recorder.flush({ timeoutMs: 300 });
    expect(balanced(on.recorder)).toMatchObject({ delivered: 0, deadLettered: 0, expired: 0 });
    isInTheWay = false;
    on.synap.stored.length = 0;
    expect(await on.recorder.flush({ timeoutMs: 20_000 })).toEqual({ delivered: 500, pending: 0, deadLettered: 0 });
    expectInOrder(on, all);
    expect(balanced(on.recorder)).toMatchObject({ possibleDuplicates: 0 });
  });

  it('a wrong key keeps everything, and asks once', async () => {
    await using on = await withBacklog(() => ({ status: 401 }), makeOutbox());
    say(on);
    await on.recorder.flush({ timeoutMs: 300 });
    expect(balanced(on.recorder)).toMatchObject({ held: BACKLOG, deadLettered: 0, expired: 0 });
    expect(on.synap.requests).toHaveLength(1);
  });
});

it('a rate limit that counts messages, and never lets a full batch pass, stops nothing', async () => {
  await using on = await recorderOn(({ messages }) => (messages.length > 10 ? { status: 429 } : undefined));
  say(on, 100);
  expect(await on.recorder.flush({ timeoutMs: 10_000 })).toEqual({ delivered: 100, pending: 0, deadLettered: 0 });
});

it.each([407, 421, 444, 499, 302])('one %i during close() loses nothing', async status => {
  let answers = 0;
  await using on = await recorderOn(() => (++answers === 1 ? { status } : undefined), {
    retry: { baseMs: 1000, maxMs: 60_000 },
  });
  on.recorder.turn({ conversationId: 'a' }).user('one');
  on.recorder.turn({ conversationId: 'b' }).user('two');
  expect(await on.recorder.close()).toEqual({ delivered: 2, pending: 0, deadLettered: 0 });
  expect(on.losses).toEqual([]);
});

it('a message that alone is disliked is held, and a dead letter once another was accepted', async () => {
  const dislikes: Script = ({ messages }) =>
    messages.some(({ content }) => content.includes(DISLIKED)) ? { status: 403, ...FIREWALL } : undefined;
  await using on = await recorderOn(dislikes);
  on.recorder.turn({ conversationId: 'a' }).user(DISLIKED);
  expect(await on.recorder.flush({ timeoutMs: 200 })).toEqual({ delivered: 0, pending: 1, deadLettered: 0 });
  // It is tried again and again.
  await expect.poll(() => balanced(on.recorder)).toMatchObject({ held: 1, pending: 0, deadLettered: 0 });
  on.recorder.turn({ conversationId: 'b' }).user('hello');
  expect(await on.recorder.flush()).toEqual({ delivered: 1, pending: 0, deadLettered: 1 });
  expect(balanced(on.recorder)).toMatchObject({ held: 0, delivered: 1, deadLettered: 1 });
});

it('and nothing else ever comes, it is a dead letter at its age limit', async () => {
  await using on = await recorderOn(() => ({ status: 403 }), { retry: { baseMs: 1, maxMs: 2, maxAgeMs: 50 } });
  on.recorder.turn({ conversationId: 'a' }).user(DISLIKED);
  expect(await on.recorder.flush()).toEqual({ delivered: 0, pending: 0, deadLettered: 1 });
  expect(on.losses).toMatchObject([{ reason: 'rejected', error: { status: 403 } }]);
});
