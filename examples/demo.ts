// Two conversations through the AI SDK and LangChain, recorded into a Synap on this machine and read back from it.
//
//   npm run demo                   a scripted model server, over HTTP; no key, no network
//   npm run demo -- --live         the real service, with OPENAI_API_KEY

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import * as ai from 'ai';
import { createAgent } from 'langchain';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK } from 'synap-recorder/ai-sdk';
import { SynapCallbackHandler } from 'synap-recorder/langchain';
import { startLocalSynap } from 'synap-recorder-local';
import { scriptedModel } from 'synap-recorder-local/model';
import * as z from 'zod/v4';
import { demoScript } from './demo/script.ts';
import { check, printTranscript, readTranscript, type Said } from './demo/transcript.ts';

const live = process.argv.includes('--live');
const apiKey = live ? process.env.OPENAI_API_KEY : 'scripted';
if (!apiKey) {
  console.error('--live talks to OpenAI: set OPENAI_API_KEY');
  process.exit(1);
}

const folder = await mkdtemp(join(tmpdir(), 'synap-demo-'));
const synap = await startLocalSynap({ database: join(folder, 'synap.db') });
const server = live ? undefined : await scriptedModel(demoScript);
const baseURL = server?.url ?? 'https://api.openai.com/v1';
const modelName = live ? 'gpt-5-mini' : 'scripted-mini';
const recorder = createRecorder({ apiKey: synap.apiKey, baseUrl: synap.url, userId: 'ada' });

try {
  const viaAISDK = await talkThroughAISDK();
  const viaLangChain = await talkThroughLangChain();
  const flushed = await recorder.flush();
  console.log(`\nSent ${flushed.delivered} messages to ${synap.url}; read back from there:`);

  for (const said of [viaAISDK, viaLangChain]) {
    const transcript = await readTranscript(synap, said.conversationId);
    printTranscript(said, transcript);
    check(said, transcript);
  }
  console.log('\nWhat was read back is what was said.');
} finally {
  await recorder.close();
  await server?.close();
  await synap.close();
  await rm(folder, { recursive: true, force: true });
}

/** A chat with history, streamed through the AI SDK. */
async function talkThroughAISDK(): Promise<Said> {
  const { streamText } = wrapAISDK(ai, recorder);
  const provider = createOpenAICompatible({ name: 'openai', baseURL, apiKey, includeUsage: true });
  const chat = recorder.newConversation({ userId: 'ada' });
  const messages: ai.ModelMessage[] = [];
  const said: Said = { through: 'the AI SDK, streamText', conversationId: chat.conversationId, user: 'ada', turns: [] };
  for (const prompt of ['Who was Ada Lovelace?', 'When was that?', 'Which machine was it for?']) {
    messages.push({ role: 'user', content: prompt });
    const result = streamText({
      model: provider(modelName),
      messages,
      providerOptions: { synap: { conversationId: chat.conversationId } },
    });
    let answer = '';
    for await (const text of result.textStream) answer += text;
    messages.push({ role: 'assistant', content: answer });
    said.turns.push([prompt, answer]);
  }
  return said;
}

/** An agent with a tool, through LangChain. */
async function talkThroughLangChain(): Promise<Said> {
  const weather = tool(async ({ city }) => `17 °C and clear in ${city}`, {
    name: 'weather',
    description: 'The weather of a city, now',
    schema: z.object({ city: z.string() }),
  });
  const model = new ChatOpenAI({ model: modelName, apiKey, configuration: { baseURL } });
  const agent = createAgent({ model, tools: [weather] });
  const chat = recorder.newConversation({ userId: 'grace' });
  const handler = new SynapCallbackHandler(recorder, chat);
  const said: Said = {
    through: 'LangChain, createAgent',
    conversationId: chat.conversationId,
    user: 'grace',
    turns: [],
  };
  let messages: { role: string; content: string }[] = [];
  for (const prompt of ['What is the weather in London?', 'Do I need an umbrella?']) {
    messages = [...messages, { role: 'user', content: prompt }];
    const stream = await agent.stream({ messages }, { streamMode: 'messages', callbacks: [handler] });
    let answer = '';
    for await (const [piece] of stream) if (piece.type === 'ai') answer += piece.text;
    messages = [...messages, { role: 'assistant', content: answer }];
    said.turns.push([prompt, answer]);
  }
  return said;
}
