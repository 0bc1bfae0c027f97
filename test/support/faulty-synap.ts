// A real HTTP server that fails as a schedule says.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { WireMessage } from '../../src/synap/messages.js';
import { chance, type Fault, type FaultPlan, type FaultWeights, planOf } from './fault-schedule.js';

/** Messages that contain the marker are answered so in whatever request contains them: 500 for ever, or refused for good. */
interface Poison {
  marker: string;
  status: 413 | 422 | 500;
}

export interface FaultySynapOptions {
  /** Same seed, same faults for the same sequence of requests. Default 1. */
  seed?: number;
  /** Default: none. */
  faults?: FaultWeights | false;
  poison?: readonly Poison[];
  /** More messages in a request are a 413. Default: no limit. */
  maxMessages?: number;
  /** How late `late` is, in milliseconds; half of the time the messages are stored after the wait. Default 50. */
  lateMs?: number;
  /** Milliseconds between two bytes of `drip`. Default 1,000. */
  dripMs?: number;
  /** What `429 seconds` and `429 date` ask for. Default 1. */
  retryAfterSeconds?: number;
}

export interface FaultyRequest {
  readonly index: number;
  readonly path: string;
  fault: Fault | 'none' | 'poison' | 'too large';
  /** Its messages; none, when the connection closed before that was read. */
  messages: readonly WireMessage[];
  /** Those of them that were stored. */
  stored: readonly WireMessage[];
  /** The status of a whole answer; undefined if there was none. */
  status: number | undefined;
  /** `clear`: the client has a whole answer that says what was stored. Otherwise, and until then: `unclear`. */
  outcome: 'clear' | 'unclear';
}

interface StoredMessage {
  readonly message: WireMessage;
  readonly request: FaultyRequest;
}

export type FaultySynap = Awaited<ReturnType<typeof faultySynap>>;

/**
 * A real HTTP server that speaks Synap's record routes, badly: each request meets what the seeded schedule has for it.
 * It remembers every request, and everything it stored, in order.
 *
 * No answer below 500 lies: what is refused is not stored, and a 2xx has stored what it does not call refused.
 */
export async function faultySynap(options: FaultySynapOptions = {}) {
  const { seed = 1, poison = [], lateMs = 50, dripMs = 1000, retryAfterSeconds = 1 } = options;
  const requests: FaultyRequest[] = [];
  const stored: StoredMessage[] = [];
  const latest = new WeakMap<Socket, FaultyRequest>();
  const settings = { faults: options.faults ?? false, maxMessages: options.maxMessages ?? Number.POSITIVE_INFINITY };

  function note(request: IncomingMessage): FaultyRequest {
    const seen: FaultyRequest = {
      index: requests.length,
      path: request.url ?? '',
      fault: 'none',
      messages: [],
      stored: [],
      status: undefined,
      outcome: 'unclear',
    };
    requests.push(seen);
    if (!latest.has(request.socket))
      // An answer that was written may still not have been read: who has read it sends the next request, or stays.
      request.socket.once('close', () => {
        const last = latest.get(request.socket);
        if (last) last.outcome = 'unclear';
      });
    latest.set(request.socket, seen);
    return seen;
  }

  function store(seen: FaultyRequest, messages = seen.messages): void {
    seen.stored = messages;
    for (const message of messages) stored.push({ message, request: seen });
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Asked in the background, and no part of the schedule: the server says nothing about itself.
    if (request.url === '/api/v1/auth/whoami') {
      response.writeHead(200, { 'content-type': 'application/json' });
      return void response.end('{}');
    }
    const seen = note(request);
    const { faults, maxMessages } = settings;
    const plan: FaultPlan = faults ? planOf(seed, seen.index, faults) : { fault: 'none', stores: true, resets: false };
    const { socket } = request;
    const hangUp = () => (plan.resets ? socket.resetAndDestroy() : socket.destroy());
    seen.fault = plan.fault;
    if (plan.fault === 'closed before reading') return void hangUp();

    const body: WireMessage | { messages: WireMessage[] } = JSON.parse(await text(request));
    const batch = 'messages' in body;
    const messages = batch ? body.messages : [body];
    seen.messages = messages;

    const noteEnd = (status: number, clear = true) =>
      response.once('finish', () => {
        seen.status = status;
        if (clear && !socket.destroyed) seen.outcome = 'clear';
      });
    const answer = (status: number, payload = '', headers: Record<string, string> = {}, clear = status < 500) => {
      noteEnd(status, clear);
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(status === 204 ? undefined : payload);
    };
    const refuse = (status: number, headers?: Record<string, string>) =>
      answer(status, JSON.stringify({ detail: `faulty: ${status}` }), headers);
    const receipts = () => {
      const results = messages.map(receiptOf);
      return JSON.stringify(
        batch ? { total: results.length, succeeded: results.length, failed: 0, results } : results[0],
      );
    };

    const poisoned = poison.find(({ marker }) => messages.some(({ content }) => content.includes(marker)));
    if (poisoned) {
      seen.fault = 'poison';
      return refuse(poisoned.status);
    }
    if (messages.length > maxMessages) {
      seen.fault = 'too large';
      return refuse(413);
    }
    switch (plan.fault) {
      case 'late':
        if (plan.stores) store(seen);
        await sleep(lateMs);
        if (!plan.stores) store(seen);
        return answer(200, receipts());
      case '429 seconds':
        return refuse(429, { 'retry-after': `${retryAfterSeconds}` });
      case '429 date':
        return refuse(429, { 'retry-after': new Date(Date.now() + retryAfterSeconds * 1000).toUTCString() });
      case '429 bare':
        return refuse(429);
      case '401':
        return refuse(401);
      case '402': {
        const detail = { code: 'insufficient_credits', message: 'no credits left', balance_credits: 0 };
        return answer(402, JSON.stringify({ detail }));
      }
      case '500':
      case '503':
        if (plan.stores) store(seen);
        return refuse(Number(plan.fault));
      case '502 html':
        if (plan.stores) store(seen);
        return answer(502, '<html><h1>Bad gateway</h1></html>', { 'content-type': 'text/html' });
      case '200 broken json':
        store(seen);
        return answer(200, receipts().slice(0, -9));
      case '201':
      case '204':
        store(seen);
        return answer(Number(plan.fault), receipts());
      case 'partial': {
        if (!batch) break;
        const refused = new Set<string>();
        const taken: WireMessage[] = [];
        const results = messages.map((message, place) => {
          if (chance(seed, seen.index, `refuses ${place}`) < 0.2) refused.add(message.conversation_id);
          if (refused.has(message.conversation_id)) return { error: 'busy' };
          taken.push(message);
          return receiptOf(message, place);
        });
        store(seen, taken);
        const [total, succeeded] = [messages.length, taken.length];
        return answer(200, JSON.stringify({ total, succeeded, failed: total - succeeded, results }));
      }
      case 'wrong count': {
        if (!batch) break;
        // The first has no receipt, so of its conversation nobody knows whose the others are. Other conversations are stored.
        const [first] = messages;
        const others = messages.filter(message => message.conversation_id !== first?.conversation_id);
        store(seen, plan.stores ? messages : others);
        const results = messages.slice(1).map(receiptOf);
        return answer(200, JSON.stringify({ total: messages.length, results }), {}, false);
      }
      case 'closed after reading':
        return void hangUp();
      case 'closed after storing':
        store(seen);
        return void hangUp();
      case 'closed in answer': {
        store(seen);
        const payload = receipts();
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': payload.length });
        return void response.write(payload.slice(0, payload.length / 2), () => hangUp());
      }
      case 'drip': {
        store(seen);
        response.writeHead(200, { 'content-type': 'application/json' });
        for (const byte of receipts()) {
          if (socket.destroyed) return;
          response.write(byte);
          await sleep(dripMs);
        }
        noteEnd(200);
        return void response.end();
      }
      case 'silent':
        if (plan.stores) store(seen);
        return;
    }
    store(seen);
    answer(200, receipts());
  }

  const server = createServer((request, response) => {
    // A client that hangs up while its request is being read.
    serve(request, response).catch(() => request.socket.destroy());
  });
  // The client is the one to close an idle connection: what it sends at that moment would be lost by chance.
  server.keepAliveTimeout = 600_000;
  const listen = (port: number) => new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const shut = async () => {
    const closed = new Promise(resolve => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    stored,
    /** What goes wrong from now on; `false` heals it. */
    set faults(faults: FaultWeights | false) {
      settings.faults = faults;
    },
    set maxMessages(maxMessages: number) {
      settings.maxMessages = maxMessages;
    },
    /** Breaks all connections off, and refuses new ones until `up()`. */
    down: shut,
    up: () => listen(port),
    async close() {
      if (server.listening) await shut();
    },
    async [Symbol.asyncDispose]() {
      await this.close();
    },
  };
}

function receiptOf(message: WireMessage, place: number) {
  return {
    message_id: `${message.conversation_id}-${place}`,
    conversation_id: message.conversation_id,
    session_id: message.session_id ?? 'made-up',
    recorded_at: '2026-01-01T00:00:00.000Z',
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
