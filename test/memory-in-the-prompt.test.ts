// The examples that read memory before they ask a model: once a turn, never for long, and not recorded.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SynapClient } from '../src/index.js';
import { CHAT, runProgram } from './support/run-program.js';

const EARLIER = [
  { role: 'user', content: 'Why is the sky blue?' },
  { role: 'assistant', content: 'Air scatters blue light.' },
] as const;

/** What the address of a context answers instead of the local Synap: JSON, a status, or nothing at all. */
type Memory = { json: object } | { status: number } | 'hangs';

/** A local Synap behind a server that answers for the memory, and notes what happens in which order. */
async function behind(url: string, memory: Memory | undefined, events: string[]): Promise<string> {
  const server = createServer(async (request, response) => {
    const isMemory = request.url?.includes('/context-for-prompt');
    if (isMemory) events.push('memory asked for');
    if (isMemory && memory === 'hangs') return void response.once('close', () => events.push('memory given up'));
    if (isMemory && memory !== undefined && memory !== 'hangs') {
      const { status = 200, json = { detail: 'scripted' } } = { status: undefined, json: undefined, ...memory };
      return void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    }
    const body = await text(request);
    const { authorization = '', 'content-type': type = '' } = request.headers;
    const answer = await fetch(url + request.url, {
      method: request.method ?? 'GET',
      headers: { authorization, ...(type && { 'content-type': type }) },
      ...(body !== '' && { body }),
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Runs an example after what was said earlier. */
async function run(file: string, memory?: Memory) {
  const events: string[] = [];
  const script = () => {
    events.push('model asked');
    return { text: 'The way through the air is longer.' };
  };
  const ran = await runProgram(file, script, {
    before: async synap => {
      const client = new SynapClient({ apiKey: synap.apiKey, baseUrl: synap.url });
      const earlier = EARLIER.map(said => ({ ...said, conversationId: CHAT, userId: 'ada' }));
      await client.conversation.recordMessagesBatch(earlier);
      await client.close();
      return { synapUrl: await behind(synap.url, memory, events) };
    },
  });
  const prompts = ran.requests.map(({ messages }) => messages.map(({ role, content }) => ({ role, content })));
  return { ...ran, events, prompts, transcript: ran.messages.map(({ role, content }) => ({ role, content })) };
}

const INSTRUCTIONS = 'Answer in one sentence.';
const QUESTION = { role: 'user', content: 'And at sunset?' };
const ANSWER = { role: 'assistant', content: 'The way through the air is longer.' };
const system = (content: string) => ({ role: expect.stringMatching(/^(system|developer)$/), content });

describe.each(['examples/ai-sdk-memory.ts', 'examples/langchain-memory.ts'])('%s', file => {
  it('shows the model what was said earlier, and records the turn alone', async () => {
    const { prompts, transcript, events, stdout, stderr } = await run(file);
    expect(prompts).toEqual([[system(expect.stringContaining(INSTRUCTIONS)), ...EARLIER, QUESTION]]);
    expect(transcript).toEqual([...EARLIER, QUESTION, ANSWER]);
    expect(events).toEqual(['memory asked for', 'model asked']);
    expect(stdout.trim()).toBe(ANSWER.content);
    expect(stderr).toBe('');
  });

  it('puts the compacted part before the model, and not into the record', async () => {
    const json = { available: true, formatted_context: 'Ada paints skies.', recent_messages: [] };
    const { prompts, transcript } = await run(file, { json });
    expect(prompts).toEqual([[system(`${INSTRUCTIONS}\n\nAda paints skies.`), QUESTION]]);
    expect(transcript).toEqual([...EARLIER, QUESTION, ANSWER]);
    expect(JSON.stringify(transcript)).not.toContain('paints');
  });

  it.each<[string, Memory]>([
    ['hangs', 'hangs'],
    ['fails', { status: 500 }],
    ['is refused', { status: 403 }],
    ['is no context', { json: { hello: 'world' } }],
  ])('answers without memory where it %s', async (_, memory) => {
    const { prompts, transcript, events, stdout, stderr } = await run(file, memory);
    expect(prompts).toEqual([[system(expect.stringContaining(INSTRUCTIONS)), QUESTION]]);
    expect(transcript).toEqual([...EARLIER, QUESTION, ANSWER]);
    expect(stdout.trim()).toBe(ANSWER.content);
    expect(stderr).toBe('');
    if (memory === 'hangs') expect(events).toEqual(['memory asked for', 'memory given up', 'model asked']);
    expect(events.at(-1)).toBe('model asked');
  });
});
