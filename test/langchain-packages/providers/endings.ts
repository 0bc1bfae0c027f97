// What holds for each provider package whose answer does not come to its end: what its reader got is recorded, with how it
// ended, and nothing of that changes what the reader gets.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { HumanMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { createAgent } from 'langchain';
import { expect, it, vi } from 'vitest';
import { handlerOn } from '../../langchain/support.js';
import { turns } from '../../support/turns.js';
import { type Answer, provider, type Wire } from './wire.js';

/** A provider package, as far as its ends go. */
export interface Stoppable {
  readonly wire: Wire;
  make(url: string): BaseChatModel;
  /** Where agents can't have it. */
  readonly bindsNoTools?: boolean;
  /** Where the package tells nobody that a stream has broken off. */
  readonly hidesBreaks?: boolean;
}

type Config = { callbacks?: unknown[]; signal?: AbortSignal; timeout?: number };
type Open = (model: BaseChatModel, config: Config) => Promise<AsyncIterable<unknown>>;

const WORDS = ['It ', 'is ', 'a ', 'long ', 'story'];
const WHOLE = WORDS.join('');
const STARTS_WITH = 'It is ';

const READERS: Record<string, Open> = {
  'a model': (model, config) => model.stream('Hi', config as never),
  'a chain': (model, config) => model.pipe(new StringOutputParser()).stream('Hi', config as never),
  'an agent': (model, config) =>
    createAgent({ model, tools: [] }).stream({ messages: [new HumanMessage('Hi')] }, {
      ...config,
      streamMode: 'messages',
    } as never),
};

/** What a reader saw. */
interface Seen {
  /** What it had got when it acted. */
  readonly text: string;
  /** What it had got in the end. */
  readonly all: string;
  /** What the stream threw. */
  readonly error: string | undefined;
}

interface Ending {
  readonly answer: Answer;
  readonly config?: Config;
  /** What the reader does once it has got the beginning. */
  act?(abort: AbortController): void;
  readonly leaves?: boolean;
  readonly status: RegExp;
}

const hangs = new Promise(() => {});
const stops = (abort: AbortController) => abort.abort();

const ENDINGS: Record<string, Ending> = {
  'is stopped while the provider is silent': { answer: { text: WORDS, wait: hangs }, act: stops, status: /^aborted$/ },
  'is stopped and left by a slow reader': {
    answer: { text: WORDS, wait: hangs },
    act: stops,
    leaves: true,
    status: /^aborted$/,
  },
  'is stopped by a reader so slow that all of it has come': {
    answer: { text: WORDS },
    act: stops,
    status: /^aborted$/,
  },
  'is left by its reader': { answer: { text: WORDS, wait: hangs }, leaves: true, status: /^abandoned$/ },
  'takes longer than its timeout': {
    answer: { text: WORDS, wait: hangs },
    config: { timeout: 400 },
    status: /^(error|aborted)$/,
  },
  'loses its connection': { answer: { text: WORDS, breaks: 'connection' }, status: /^error$/ },
};

/** Asserts all of it for a package. */
export function itEndsAsItsReaderSaw({ wire, make, bindsNoTools, hidesBreaks }: Stoppable) {
  const readers = Object.keys(READERS).filter(name => !bindsNoTools || name !== 'an agent');
  const endings = Object.keys(ENDINGS).filter(name => !hidesBreaks || name !== 'loses its connection');
  const situations = readers.flatMap(reader => endings.map(ending => [reader, ending] as const));

  async function read(reader: string, { answer, config, act, leaves }: Ending, callbacks: unknown[]): Promise<Seen> {
    await using server = await provider(wire, [answer]);
    const abort = new AbortController();
    let [text, all, error]: [string, string, string | undefined] = ['', '', undefined];
    try {
      const given = act ? { ...config, signal: abort.signal } : { ...config };
      const stream = await READERS[reader]?.(make(server.url), { ...given, callbacks });
      let acts = act !== undefined || leaves === true;
      for await (const piece of stream ?? []) {
        all += pieceText(piece);
        if (!acts || !all.startsWith(STARTS_WITH)) continue;
        acts = false;
        // The model goes as far as it can without its reader.
        await turns(50);
        text = all;
        act?.(abort);
        if (leaves) break;
      }
    } catch (thrown) {
      error = (thrown as Error).message.replaceAll(server.url, '');
    }
    return { text, all, error };
  }

  it.concurrent.each(situations)('the answer of %s that %s, is recorded as far as it was read', async (name, how) => {
    const ending = ENDINGS[how] as Ending;
    await using on = await handlerOn();
    const [plain, seen] = await Promise.all([read(name, ending, []), read(name, ending, [on.handler])]);
    expect(seen.error).toBe(plain.error);
    if (ending.act) expect(seen.text).toBe(plain.text);
    const isCollected = ending.status.test('abandoned') && name !== 'an agent';
    // An abort is known within a second; of a reader that leaves, only the collector of garbage tells.
    const isOver = () => {
      if (isCollected) collectGarbage();
      expect(on.handler.openRuns).toBe(0);
    };
    await vi.waitFor(isOver, { timeout: isCollected ? 10_000 : 1000, interval: 20 });
    await on.recorder.flush();
    const [user, answer, ...more] = on.synap.stored;
    expect([user?.content, more]).toEqual(['Hi', []]);
    if (!answer) return expect(seen.all).toBe('');
    expect(WHOLE.slice(0, answer.content.length)).toBe(answer.content);
    expect(answer.content.slice(0, seen.all.length)).toBe(seen.all);
    // An agent runs ahead of its reader: where it had ended by then, the whole answer had arrived.
    if (name === 'an agent' && answer.content === WHOLE && ending.answer.wait === undefined && ending.act) return;
    expect(answer.metadata?.status).toMatch(ending.status);
  });
}

function pieceText(piece: unknown): string {
  const message = Array.isArray(piece) ? piece[0] : piece;
  return typeof message === 'string' ? message : message.text;
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
