import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createRecorder, type Loss, type RecorderOptions } from '../../src/index.js';
import { head, type RawAnswer, rawSynap, receipts } from '../support/raw-synap.js';
import { balanced } from '../support/recorder.js';
import { turns } from '../support/turns.js';

const JSON_HEAD = 'content-type: application/json\r\n';

/** Answers of a Synap that has stored the messages, whose status and headers can be read. */
const accepted: [string, RawAnswer][] = [
  ['is cut', socket => void socket.end(`${head(`${JSON_HEAD}content-length: 100\r\n`)}{"results":[{"mess`)],
  ['comes in chunks without an end', socket => void socket.end(`${head('transfer-encoding: chunked\r\n')}5\r\n{"res`)],
  ['comes in chunks that are none', socket => void socket.write(`${head('transfer-encoding: chunked\r\n')}zzz\r\n`)],
  [
    'is reset in its middle',
    socket =>
      void socket.write(
        `${head(`${JSON_HEAD}content-length: 100\r\n`)}{"re`,
        () =>
          // Once the reader, in this process, has had its turn.
          void turns().then(() => socket.resetAndDestroy()),
      ),
  ],
  ['never comes', socket => void socket.write(head(`${JSON_HEAD}content-length: 100\r\n`))],
  [
    'drips without an end',
    socket => {
      socket.write(head(JSON_HEAD));
      const drip = setInterval(() => socket.write(' '), 10);
      socket.on('close', () => clearInterval(drip));
    },
  ],
  ['is longer than 8 MB', socket => void socket.end(head(JSON_HEAD) + ' '.repeat(9 * 1024 * 1024))],
  [
    'claims to be gzip and is not',
    socket => void socket.write(`${head(`${JSON_HEAD}content-encoding: gzip\r\ncontent-length: 4\r\n`)}oops`),
  ],
  [
    'is no UTF-8',
    socket =>
      void socket.write(
        Buffer.concat([Buffer.from(head(`${JSON_HEAD}content-length: 3\r\n`)), Buffer.from([0xff, 0xfe, 0x22])]),
      ),
  ],
  ['is half a JSON', socket => void socket.write(`${head(`${JSON_HEAD}content-length: 11\r\n`)}{"results":`)],
  ['is plain words', socket => void socket.write(`${head('content-length: 3\r\n', '201 Created')}ok\n`)],
];

/** Answers of a Synap that has stored the messages, of which nothing can be learned. */
const unreadable: [string, RawAnswer][] = [
  [
    'has headers beyond all measure',
    socket => void socket.end(head(`x-long: ${'x'.repeat(200_000)}\r\ncontent-length: 0\r\n`)),
  ],
  [
    'contradicts itself about its length',
    socket => void socket.end(`${head('content-length: 3\r\ntransfer-encoding: chunked\r\n')}2\r\n{}\r\n0\r\n\r\n`),
  ],
  ['names two lengths', socket => void socket.end(`${head('content-length: 2\r\ncontent-length: 3\r\n')}{}`)],
  ['is garbage after the status line', socket => void socket.end('HTTP/1.1 200 OK\r\n\u0001\u0002 ;;;\r\n\r\n{}')],
  ['breaks off within its headers', socket => void socket.end('HTTP/1.1 200 OK\r\ncontent-type: appl')],
];

async function recorderOn(answer: RawAnswer, options: RecorderOptions = {}) {
  const synap = await rawSynap(answer);
  const losses: Loss[] = [];
  const log: string[] = [];
  const write = (message: string) => void log.push(message);
  const recorder = createRecorder({
    apiKey: 'test-key',
    baseUrl: synap.url,
    userId: 'ada',
    conversationId: 'chat-42',
    rateLimit: false,
    timeoutMs: 1000,
    batch: { lingerMs: 5 },
    retry: { baseMs: 2, maxMs: 10 },
    logger: { info: write, warn: write, error: write },
    onLoss: loss => void losses.push(loss),
    ...options,
  });
  return {
    ...{ synap, recorder, losses, log },
    async [Symbol.asyncDispose]() {
      await recorder.close({ timeoutMs: 1000 });
      await synap[Symbol.asyncDispose]();
    },
  };
}

/** Says a whole turn. */
function say({ recorder }: Awaited<ReturnType<typeof recorderOn>>): void {
  const turn = recorder.turn();
  turn.user('question');
  turn.complete({ content: 'answer' });
}

/** The promises that hold whatever the transport is made of. */
export function oddAnswers(): void {
  describe.each(accepted)('a 2xx whose body %s', (_, answer) => {
    it('has stored its messages: they are sent once, and the log says once what was odd', async () => {
      await using on = await recorderOn(answer);
      for (let n = 1; n <= 2; n++) {
        say(on);
        expect(await on.recorder.flush()).toEqual({ delivered: 2, pending: 0, deadLettered: 0 });
      }
      await turns();
      expect(on.synap.stored).toEqual(['question', 'answer', 'question', 'answer']);
      expect(balanced(on.recorder)).toMatchObject({ delivered: 4, possibleDuplicates: 0 });
      expect(on.losses).toEqual([]);
      expect(on.log).toEqual([
        expect.stringMatching(
          /^\[synap-recorder\] Synap answered 20[01], but its body could not be read \(.+\): the messages count as/,
        ),
      ]);
    });
  });

  describe.each(unreadable)('an answer that %s', (_, answer) => {
    it('is asked for three times more, and then the message is a dead letter', async () => {
      await using on = await recorderOn(answer);
      say(on);
      expect(await on.recorder.flush()).toEqual({ delivered: 0, pending: 0, deadLettered: 2 });
      expect([on.synap.copiesOf('question'), on.synap.copiesOf('answer')]).toEqual([4, 4]);
      expect(on.losses).toMatchObject([{ reason: 'unknown_outcome' }, { reason: 'unknown_outcome' }]);
      expect(balanced(on.recorder)).toMatchObject({ deadLettered: 2, possibleDuplicates: 6 });
    });

    it('is said in the log with where to look, and that messages may be there twice', async () => {
      await using on = await recorderOn(answer);
      say(on);
      await on.recorder.flush();
      const told = on.log.filter(line => line.includes('may be there as often'));
      expect(told).toEqual([expect.stringContaining(`load balancer between this app and ${on.synap.url}`)]);
    });
  });

  it('an answer that can’t be read because of one message costs that message alone', async () => {
    await using on = await recorderOn((socket, messages) => {
      if (messages.some(({ content }) => content === 'odd')) socket.end('HTTP/1.1 200 OK\r\n;;;\r\n\r\n');
      else receipts(socket, messages);
    });
    for (let n = 0; n < 20; n++) on.recorder.turn({ conversationId: `c${n}` }).user(n === 7 ? 'odd' : `m${n}`);
    expect(await on.recorder.flush()).toEqual({ delivered: 19, pending: 0, deadLettered: 1 });
    expect(on.synap.copiesOf('odd')).toBe(4);
    for (let n = 0; n < 20; n++) expect(on.synap.copiesOf(`m${n}`)).toBeLessThanOrEqual(3);
  });

  it('a server that stores everything and drops each connection gets fewer copies the longer it does so', async () => {
    await using on = await recorderOn(socket => void socket.destroy(), { retry: { baseMs: 1, maxMs: 20 } });
    on.recorder.turn().user('question');
    await expect.poll(() => on.synap.copiesOf('question'), { timeout: 10_000 }).toBeGreaterThanOrEqual(7);
    // 20, 40, then 80 ms and more between two of them: 40 copies a second without that.
    const before = on.synap.copiesOf('question');
    await sleep(1000);
    expect(on.synap.copiesOf('question') - before).toBeLessThanOrEqual(5);
    expect(on.log.filter(line => line.includes('got no answer'))).toHaveLength(1);
  });

  it.each([1, 2])('a 2xx in whose body the recorder is closed has stored its %i messages', async count => {
    await using on = await recorderOn(socket => void socket.write(head(`${JSON_HEAD}content-length: 100\r\n`)), {
      timeoutMs: 20_000,
    });
    for (let n = 0; n < count; n++) on.recorder.turn().user(`m${n}`);
    await expect.poll(() => on.synap.stored.length).toBe(count);
    expect(await on.recorder.close({ timeoutMs: 300 })).toEqual({ delivered: count, pending: 0, deadLettered: 0 });
    expect(on.synap.stored).toHaveLength(count);
    expect(balanced(on.recorder)).toMatchObject({ delivered: count, lostAtShutdown: 0 });
    expect(on.losses).toEqual([]);
  });

  it('a message of a batch that was refused is not taken for stored when the recorder is closed while it is asked about', async () => {
    await using on = await recorderOn((socket, messages) => {
      if (messages.length === 1) return;
      const body = JSON.stringify({ results: [{ message_id: 'm0' }, { error: 'busy' }] });
      socket.write(`${head(`${JSON_HEAD}content-length: ${body.length}\r\n`)}${body}`);
    });
    on.recorder.turn().user('m0');
    on.recorder.turn().user('m1');
    await expect.poll(() => on.synap.stored.length).toBe(3);
    await on.recorder.close({ timeoutMs: 100 });
    expect(on.losses).toHaveLength(1);
    expect(balanced(on.recorder)).toMatchObject({ delivered: 1 });
  });

  it('a connection that served before and then breaks is no answer: nothing is given up for it', async () => {
    let served = 0;
    await using on = await recorderOn((socket, messages) => {
      // Each connection answers once.
      if (Reflect.get(socket, 'served')) return void socket.end();
      Reflect.set(socket, 'served', true);
      if (served++ % 2 === 0) receipts(socket, messages);
      else socket.end();
    });
    for (let n = 0; n < 10; n++) {
      say(on);
      expect(await on.recorder.flush()).toMatchObject({ delivered: 2, pending: 0, deadLettered: 0 });
    }
    expect(on.log.filter(line => line.includes('broke off within'))).toEqual([]);
  });

  it('an outage in which connections break loses nothing', async () => {
    await using on = await recorderOn(socket => void socket.destroy());
    say(on);
    await expect.poll(() => on.synap.copiesOf('question'), { timeout: 10_000 }).toBeGreaterThanOrEqual(6);
    on.synap.answers(receipts);
    expect(await on.recorder.flush()).toEqual({ delivered: 2, pending: 0, deadLettered: 0 });
    expect(on.losses).toEqual([]);
  });

  it('what answers in another language than HTTP is no Synap: nothing is given up for it', async () => {
    await using on = await recorderOn(socket => void socket.end('\u0000\u0000\u0012\u0004\u0000\u0000\u0000'));
    on.recorder.turn().user('question');
    await expect.poll(() => on.synap.copiesOf('question'), { timeout: 10_000 }).toBeGreaterThanOrEqual(6);
    on.synap.answers(receipts);
    expect(await on.recorder.flush()).toEqual({ delivered: 1, pending: 0, deadLettered: 0 });
  });

  it.each([
    ['by its type', 'content-type: text/html; charset=utf-8\r\n', '<h1>Log in'],
    ['by its first character', 'content-type: application/octet-stream\r\n', ' <!doctype html>'],
  ])(
    'a web page with 200, told %s, has stored nothing: the messages are sent again, and are no doubles',
    async (_, type, page) => {
      const captive: RawAnswer = socket =>
        void socket.write(`${head(`${type}content-length: ${page.length}\r\n`)}${page}`);
      await using on = await recorderOn(captive, { retry: { baseMs: 2, maxMs: 10, ifUnknown: 'dead-letter' } });
      say(on);
      await expect.poll(() => on.synap.copiesOf('question'), { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
      on.synap.answers(receipts);
      expect(await on.recorder.flush()).toEqual({ delivered: 2, pending: 0, deadLettered: 0 });
      expect(balanced(on.recorder)).toMatchObject({ possibleDuplicates: 0 });
      expect(on.log[0]).toMatch(/A web page answered in Synap's place \(200\)\. .*baseUrl/);
    },
  );

  it('a message that a readable answer says was refused stays refused, with counts only, too', async () => {
    await using on = await recorderOn((socket, messages) => {
      const [status, body] =
        messages.length > 1
          ? ['200 OK', JSON.stringify({ total: 2, succeeded: 0, failed: 2 })]
          : ['422 Unprocessable Content', '{}'];
      socket.write(`${head(`${JSON_HEAD}content-length: ${body.length}\r\n`, status)}${body}`);
    });
    say(on);
    expect(await on.recorder.flush()).toEqual({ delivered: 0, pending: 0, deadLettered: 2 });
    expect(on.losses).toMatchObject([{ reason: 'rejected' }, { reason: 'rejected' }]);
  });
}
