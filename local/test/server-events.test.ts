// The body of a text/event-stream.

import { expect, test } from 'vitest';
import { type ServerEvent, serverEvents } from '../src/server-events.js';

/** Events as they are pulled, and what became of their generator. */
function made(events: ServerEvent[]) {
  const state = { begun: false, ended: false };
  const produce = async function* (signal: AbortSignal) {
    state.begun = true;
    try {
      yield* events;
      await new Promise(resolve => signal.addEventListener('abort', resolve));
    } finally {
      state.ended = true;
    }
  };
  return { state, produce };
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await reader.read();
  return new TextDecoder().decode(value);
}

test('an event is its name, its id and its lines, however they end', async () => {
  const { produce } = made([{ event: 'x', id: 7, data: 'a\nb\r\nc\rd' }]);
  const reader = serverEvents(produce).getReader();
  expect(await read(reader)).toBe('retry: 1000\n\n');
  expect(await read(reader)).toBe('event: x\nid: 7\ndata: a\ndata: b\ndata: c\ndata: d\n\n');
  await reader.cancel();
});

test('who stops reading ends the making', async () => {
  const { produce, state } = made([]);
  const reader = serverEvents(produce).getReader();
  await read(reader);
  const next = reader.read();
  await expect.poll(() => state.begun).toBe(true);
  await reader.cancel();
  await next;
  await expect.poll(() => state).toEqual({ begun: true, ended: true });
});

test('when there is no more to come, the stream ends', async () => {
  const reader = serverEvents(async function* () {}).getReader();
  await read(reader);
  expect((await reader.read()).done).toBe(true);
});
