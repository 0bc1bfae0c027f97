// What unfinished runs hold in memory.

import { AsyncLocalStorage } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { expect, it } from 'vitest';
import { runs } from '../../support/runs.js';
import { turns } from '../../support/turns.js';
import { handlerOn, type On } from '../support.js';

const RUNS = runs(2000, 10_000);
const MIB = 1024 * 1024;
const LIMIT = 64 * MIB;
const HISTORY_BYTES = 100_000;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

async function heldBy(start: (on: On, index: number) => void, idleMs = 300_000): Promise<number> {
  await using on = await handlerOn({ idleMs });
  // Each run is started by a request of its own, so that none is inside another.
  const outside = AsyncLocalStorage.snapshot();
  outside(start, on, -1);
  await turns();
  collect();
  const before = process.memoryUsage().heapUsed + process.memoryUsage().external;
  for (let index = 0; index < RUNS; index++) outside(start, on, index);
  // Those that are idle for so long are dormant by then.
  if (idleMs < 300_000) await new Promise(resolve => setTimeout(resolve, idleMs * 1.5));
  await on.recorder.flush();
  collect();
  return process.memoryUsage().heapUsed + process.memoryUsage().external - before;
}

/** A history of 100 KB whose text no other history shares. */
function history(index: number) {
  const text = Buffer.alloc(HISTORY_BYTES / 2, `${index} `).toString('latin1');
  return [new HumanMessage(text), new AIMessage(text), new HumanMessage(`Question ${index}`)];
}

it(`${RUNS} graphs with a history of 100 KB that never end hold less than 64 MiB`, async () => {
  const held = await heldBy(({ handler }, index) => {
    handler.handleChainStart({}, { messages: history(index) }, `run-${index}`);
  });
  expect(held / MIB).toBeLessThan(LIMIT / MIB);
});

it(`${RUNS} graphs that were asked within a history and whose model never answers hold less than 64 MiB`, async () => {
  const held = await heldBy(({ handler }, index) => {
    const messages = history(index);
    handler.handleChainStart({}, { messages }, `run-${index}`);
    handler.handleChatModelStart({}, [messages], `call-${index}`, `run-${index}`);
    handler.handleLLMNewToken('Half', { prompt: 0, completion: 0 }, `call-${index}`);
  });
  expect(held / MIB).toBeLessThan(LIMIT / MIB);
});

it(`${RUNS} chains that never end, of an input that is all text, hold less than 64 MiB`, async () => {
  const held = await heldBy(({ handler }, index) => {
    const documents = Buffer.alloc(HISTORY_BYTES, `${index} `).toString('latin1');
    handler.handleChainStart({}, { question: `Question ${index}`, documents }, `run-${index}`);
  });
  expect(held / MIB).toBeLessThan(LIMIT / MIB);
});

it(`${RUNS} graphs that were given up hold no input`, async () => {
  const held = await heldBy(({ handler }, index) => {
    handler.handleChainStart({}, { messages: history(index) }, `run-${index}`);
  }, 2000);
  expect(held / MIB).toBeLessThan(LIMIT / MIB / 4);
});

it(`${RUNS} graphs that end hold next to nothing`, async () => {
  const held = await heldBy(({ handler }, index) => {
    const messages = history(index);
    handler.handleChainStart({}, { messages }, `run-${index}`);
    handler.handleChainEnd({ messages: [...messages, new AIMessage('Because.')] }, `run-${index}`);
  });
  expect(held / MIB).toBeLessThan(LIMIT / MIB);
});
