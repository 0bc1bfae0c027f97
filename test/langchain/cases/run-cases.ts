// Cases as data: an app of LangChain's or LangGraph's, what its reader sees, and the transcript that a person would write down.

import { type BaseMessage, isBaseMessage } from '@langchain/core/messages';
import { describe, expect, it, vi } from 'vitest';
import type { Recorder, RecorderOptions } from '../../../src/index.js';
import { SynapCallbackHandler, type SynapCallbackHandlerOptions } from '../../../src/langchain/index.js';
import { recorderOn } from '../../support/recorder.js';
import { turns } from '../../support/turns.js';
import { isOldCore, lineOf } from '../support.js';

type CoreLine = '1.x' | '0.3';

/** What the app of a case works with. In the run without a recorder there is no handler, and `config` is empty. */
export interface Situation {
  readonly config: { callbacks?: SynapCallbackHandler[] };
  readonly handler: SynapCallbackHandler | undefined;
  readonly recorder: Recorder | undefined;
  /** Another handler of the same recorder. */
  another(): Pick<Situation, 'config' | 'handler'>;
  /** Another process: a recorder and a handler of its own, in front of the same Synap. What was recorded before has arrived. */
  process(): Promise<Situation>;
}

/** A message that may be recorded or not: the design leaves it open. */
export interface Maybe {
  readonly maybe: string | RegExp;
}

/** A message as `role (status): text`, the status left out where it is `complete`. */
export type Line = string | RegExp | Maybe;

export interface Case {
  /** The situation, as a sentence. */
  readonly name: string;
  /** The app. Returns what its reader sees; what it throws is a part of that. */
  app(on: Situation): Promise<unknown>;
  /** What the reader sees, with the handler and without; left out where chance or the line of core decides. */
  readonly sees?: unknown;
  /** What a person who watched would write down. */
  readonly transcript: readonly Line[];
  readonly because: string;
  /** What the metadata of the messages hold, in the order of the transcript. Only where each line is there for sure. */
  readonly metadata?: readonly (object | undefined)[];
  /** What each message says beside that, such as whose it is. */
  readonly of?: object;
  /** The notices that the handler gives, in order; left out where they are of no interest. */
  readonly notices?: readonly RegExp[];
  /** The lines of core that the situation exists on. Default: both. */
  readonly on?: CoreLine;
  readonly options?: SynapCallbackHandlerOptions;
  readonly recorderOptions?: RecorderOptions;
  /** What else must hold, such as counters. */
  check?(on: { recorder: Recorder; handler: SynapCallbackHandler; metadata: readonly Metadata[] }): void;
  /** It fails so far, on both lines of core or on one; then the mark goes. */
  readonly pending?: true | CoreLine | undefined;
}

type Metadata = Record<string, unknown> | undefined;

// `run`: what is pending runs as all else, to see what is recorded so far.
const SHOWS_PENDING = process.env.SYNAP_TEST_PENDING === 'run';
const LINE: CoreLine = isOldCore ? '0.3' : '1.x';

// An abort that LangChain tells nobody is known after 250 ms; all else without a clock. What fails so far is not waited for.
const PATIENCE_MS = 5000;
const PENDING_PATIENCE_MS = 400;

/** Runs each case without a handler, and with one, on the line of core that these tests run on. */
export function runCases(title: string, cases: readonly Case[]): void {
  const those = cases.filter(one => one.on === undefined || one.on === LINE);
  if (those.length === 0) return;
  describe(title, () => {
    for (const one of those) {
      const isPending = (one.pending === true || one.pending === LINE) && !SHOWS_PENDING;
      if (!isPending) it(one.name, () => run(one, SHOWS_PENDING ? PENDING_PATIENCE_MS : PATIENCE_MS));
      // Only the transcript may be wrong: a case that does not run at all is no expected failure.
      else it(`${one.name}: runs`, () => run(one, undefined));
      if (isPending) it.fails(one.name, () => run(one, PENDING_PATIENCE_MS));
    }
  });
}

/** `patienceMs`: how long the transcript is waited for; undefined where it is not looked at. */
async function run(one: Case, patienceMs: number | undefined): Promise<void> {
  const plain = await seenBy(one, withoutHandler());
  if ('sees' in one) expect(plain, 'what the reader sees without a handler').toEqual(one.sees);

  await using processes = new Processes(one);
  const first = await processes.start();
  const recorded = await seenBy(one, first);
  expect(recorded, 'what the reader sees').toEqual(plain);

  if (patienceMs === undefined) return;
  const matches = async () => expect(await processes.transcript(), one.because).toEqual(fitted(one, processes.lines()));
  await turns();
  await vi.waitFor(matches, { timeout: patienceMs, interval: 25 });
  const { messages } = processes;
  for (const [index, metadata] of (one.metadata ?? []).entries())
    if (metadata) expect(messages[index]?.metadata, one.because).toMatchObject(metadata);
  if (one.of) for (const message of messages) expect(message, one.because).toMatchObject(one.of);
  if (one.notices)
    expect(processes.notices, 'notices').toEqual(one.notices.map(notice => expect.stringMatching(notice)));
  one.check?.({
    recorder: first.recorder as Recorder,
    handler: first.handler as SynapCallbackHandler,
    metadata: messages.map(message => message.metadata),
  });
  // What is still open would be recorded now.
  processes.close();
  await matches();
}

function withoutHandler(): Situation {
  const none: Situation = {
    config: {},
    handler: undefined,
    recorder: undefined,
    another: () => none,
    process: async () => none,
  };
  return none;
}

async function seenBy(one: Case, on: Situation): Promise<unknown> {
  try {
    return plainly(await one.app(on));
  } catch (error) {
    return { thrown: error instanceof Error ? error.message : error };
  }
}

/** Messages as `type: text`, all else as it is: ids are made up anew in each run. */
function plainly(value: unknown): unknown {
  if (isBaseMessage(value)) return said(value);
  if (Array.isArray(value)) return value.map(plainly);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plainly(field)]));
}

export function said(message: BaseMessage): string {
  return `${message.getType()}: ${message.text}`;
}

/** The wanted lines, those that may be there or not left out where they aren't. */
function fitted({ transcript }: Case, lines: readonly string[]): unknown[] {
  const wanted: unknown[] = [];
  for (const line of transcript) {
    const optional = typeof line === 'object' && 'maybe' in line;
    const pattern = optional ? line.maybe : line;
    const there = lines[wanted.length];
    const fits =
      there !== undefined && (typeof pattern === 'string' ? pattern === there : new RegExp(pattern).test(there));
    if (optional && !fits) continue;
    wanted.push(typeof pattern === 'string' ? pattern : expect.stringMatching(pattern));
  }
  return wanted;
}

/** The processes of an app: each has a recorder and a handler of its own, and all of them the same Synap. */
class Processes implements AsyncDisposable {
  readonly notices: string[] = [];
  readonly #case: Case;
  readonly #started: Awaited<ReturnType<typeof recorderOn>>[] = [];
  readonly #handlers: SynapCallbackHandler[] = [];

  constructor(one: Case) {
    this.#case = one;
  }

  async start(): Promise<Situation> {
    for (const { recorder } of this.#started) await recorder.flush();
    const shared = this.#started[0] && { baseUrl: this.#started[0].synap.url };
    const on = await recorderOn(undefined, { conversationId: 'chat', ...shared, ...this.#case.recorderOptions });
    this.#started.push(on);
    const another = () => {
      const write = (notice: string) => void this.notices.push(notice);
      const handler = new SynapCallbackHandler(on.recorder, {
        logger: { info: write, warn: write, error: write },
        ...this.#case.options,
      });
      this.#handlers.push(handler);
      return { handler, config: { callbacks: [handler] } };
    };
    return { ...another(), recorder: on.recorder, another, process: () => this.start() };
  }

  /** What Synap has got. What two processes send under one key counts once: Synap tells it apart by that. */
  get messages() {
    const stored = this.#started[0]?.synap.stored ?? [];
    if (this.#started.length === 1) return stored;
    const byKey = new Map(stored.toReversed().map(message => [message.metadata?.message_key, message]));
    return stored.filter(message => byKey.get(message.metadata?.message_key) === message);
  }

  lines(): string[] {
    return this.messages.map(lineOf);
  }

  async transcript(): Promise<string[]> {
    for (const { recorder } of this.#started) await recorder.flush();
    return this.lines();
  }

  close(): void {
    for (const handler of this.#handlers) handler.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    for (const on of this.#started.toReversed()) await on[Symbol.asyncDispose]();
  }
}
