// Cases as data: an app of LangChain's or LangGraph's, what its reader sees, and the transcript that a person would write down.

import { type BaseMessage, isBaseMessage } from '@langchain/core/messages';
import { describe, expect, it, vi } from 'vitest';
import type { Recorder, RecorderOptions } from '../../../src/index.js';
import type { SynapCallbackHandler, SynapCallbackHandlerOptions } from '../../../src/langchain/index.js';
import { turns } from '../../support/turns.js';
import { isOldCore } from '../support.js';
import { fitted, type Line } from './lines.js';
import { Processes, type Situation, withoutHandler } from './processes.js';

type CoreLine = '1.x' | '0.3';

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
      if (!isPending) it(one.name, () => run(one, SHOWS_PENDING ? 1500 : PATIENCE_MS));
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
  const matches = async () =>
    expect(await processes.transcript(), one.because).toEqual(fitted(one.transcript, processes.lines()));
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

function said(message: BaseMessage): string {
  return `${message.getType()}: ${message.text}`;
}
