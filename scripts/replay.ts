// Replays recorded provider responses over HTTP, through the real provider packages, into recorded calls of the AI SDK,
// and compares what the recorder sent with what the SDK gave the app.
//
//   npm run replay -- <folder>
//
// The folder holds files *.chunks.txt, one JSON event a line; the name of a file's folder tells its provider.

import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createCohere } from '@ai-sdk/cohere';
import { createDeepSeek } from '@ai-sdk/deepseek';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createGroq } from '@ai-sdk/groq';
import { createMistral } from '@ai-sdk/mistral';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { createPerplexity } from '@ai-sdk/perplexity';
import { createXai } from '@ai-sdk/xai';
import * as ai from 'ai';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK, wrapModel } from 'synap-recorder/ai-sdk';
import { startLocalSynap } from 'synap-recorder-local';

type Event = Record<string, unknown>;
type Model = Exclude<ai.LanguageModel, string>;

interface Options {
  baseURL: string;
  apiKey: string;
}

/** By the folder's name: OpenAI's own streams are of either of its two APIs, which the events tell. */
const MODELS: Record<string, (options: Options, events: Event[]) => Model> = {
  anthropic: options => createAnthropic(options)('m'),
  cohere: options => createCohere(options)('m'),
  deepseek: options => createDeepSeek(options)('m'),
  google: options => createGoogleGenerativeAI(options)('m'),
  groq: options => createGroq(options)('m'),
  mistral: options => createMistral(options)('m'),
  openai: (options, events) =>
    isChat(events) ? createOpenAI(options).chat('m') : createOpenAI(options).responses('m'),
  perplexity: options => createPerplexity(options)('m'),
  xai: (options, events) => (isChat(events) ? createXai(options).chat('m') : createXai(options).responses('m')),
};

/** Of a provider that isn't known, the events tell what it speaks. */
function modelFor(provider: string, options: Options, events: Event[]): Model {
  const known = MODELS[provider];
  if (known) return known(options, events);
  const [first = {}] = events;
  if (isChat(events)) return createOpenAICompatible({ ...options, name: provider, includeUsage: true })('m');
  if (String(first.type).startsWith('response.')) return createOpenAI(options).responses('m');
  if ('candidates' in first) return createGoogleGenerativeAI(options)('m');
  return createAnthropic(options)('m');
}

function isChat(events: Event[]): boolean {
  return events.some(event => 'choices' in event || String(event.object).startsWith('chat.completion'));
}

/** What a call gave the app, or what the recorder made of it, in the same words. */
interface Seen {
  text: string;
  finishReason: unknown;
  inputTokens: unknown;
  outputTokens: unknown;
  responseModel: unknown;
  tools: unknown;
}

type Consume = (result: ReturnType<typeof ai.streamText>) => Promise<string>;

const CONSUMERS: Record<string, Consume> = {
  'part by part': async result => {
    let text = '';
    try {
      for await (const part of result.fullStream) if (part.type === 'text-delta') text += part.text;
    } catch {
      // A stream that breaks gives what it gave.
    }
    return text;
  },
  'as a whole': async result => {
    await result.consumeStream({ onError() {} });
    // Of an error the result knows no text; a turn that failed says what came before it.
    return result.text.then(
      text => text,
      () => '',
    );
  },
};

const folder = process.argv[2];
if (!folder) {
  console.error('Usage: npm run replay -- <folder with *.chunks.txt>');
  process.exit(2);
}
globalThis.AI_SDK_LOG_WARNINGS = false;

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.chunks.txt'))
  .sort();
let lines: string[] = [];
let provider = '';
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const line of lines) {
    if (provider === 'cohere') response.write(`event: ${JSON.parse(line).type}\n`);
    response.write(`data: ${line}\n\n`);
  }
  response.end(provider === 'google' ? '' : 'data: [DONE]\n\n');
});
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
await using synap = await startLocalSynap();

let failures = 0;
for (const file of files) {
  lines = readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter(line => line.trim() !== '');
  provider = basename(dirname(join(folder, file)));
  const model = modelFor(
    provider,
    { baseURL, apiKey: 'replay' },
    lines.map(line => JSON.parse(line)),
  );
  for (const way of ['wrapAISDK', 'wrapModel'] as const)
    for (const [how, consume] of Object.entries(CONSUMERS)) {
      const { given, recorded } = await replay(model, way, consume);
      const same = isDeepStrictEqual(recorded, given);
      if (!same) failures++;
      const what = given.text === '' ? 'no text' : `${given.text.length} characters`;
      console.log(`${same ? 'ok  ' : 'FAIL'}  ${relative('.', file)}  ${way}, ${how}: ${what}`);
      if (!same) console.log(`      given    ${JSON.stringify(given)}\n      recorded ${JSON.stringify(recorded)}`);
    }
}
server.closeAllConnections();
server.close();
console.log(
  `\n${files.length} streams, ${failures === 0 ? 'each recorded as the app saw it' : `${failures} differences`}`,
);
process.exitCode = failures === 0 ? 0 : 1;

async function replay(model: Model, way: 'wrapAISDK' | 'wrapModel', consume: Consume) {
  const recorder = createRecorder({
    baseUrl: synap.url,
    apiKey: synap.apiKey,
    userId: 'replay',
    rateLimit: false,
    logger: false,
  });
  const { conversationId } = recorder.newConversation();
  const { streamText } = way === 'wrapAISDK' ? wrapAISDK(ai, recorder) : ai;
  const result = streamText({
    model: way === 'wrapAISDK' ? model : wrapModel(model, recorder),
    prompt: 'Replay',
    providerOptions: { synap: { conversationId } },
    onError() {},
  });
  const text = await consume(result);
  const settled = <T>(promise: PromiseLike<T>) =>
    Promise.resolve(promise).then(
      value => value,
      () => undefined,
    );
  const [steps, finishReason, usage, response] = await Promise.all([
    settled(result.steps),
    settled(result.finishReason),
    settled(result.totalUsage),
    settled(result.response),
  ]);
  // A model alone waits for the tools it called; closing ends that.
  await recorder.close();

  const answer = await fetch(`${synap.url}/v1/conversations/${conversationId}/messages`, {
    headers: { authorization: `Bearer ${synap.apiKey}` },
  });
  const { messages } = (await answer.json()) as { messages: { role: string; content: string; metadata: Event }[] };
  const [user, assistant, ...more] = messages;
  if (user?.role !== 'user' || user.content !== 'Replay' || more.length > 0)
    throw new Error('the prompt was not recorded once');

  // Without a text there is no message to compare the rest with.
  const nothing: Seen = { text: '', finishReason: '', inputTokens: '', outputTokens: '', responseModel: '', tools: '' };
  const calls = steps?.flatMap(step => step.toolCalls);
  const given: Seen = {
    text,
    finishReason,
    inputTokens: usage?.inputTokens,
    outputTokens: usage?.outputTokens,
    // The SDK puts the name that was asked for where the provider gave none.
    responseModel: response?.modelId === 'm' ? undefined : response?.modelId,
    tools: calls?.map(call => call.toolName),
  };
  const { metadata = {} } = assistant ?? {};
  // A model alone does not see that a tool has run, or can't: its calls wait, and are told by their ids.
  const waiting = (metadata.pending_tool_calls ?? []) as string[];
  const recorded: Seen = {
    text: assistant?.content ?? '',
    finishReason: metadata.finish_reason,
    inputTokens: metadata.input_tokens,
    outputTokens: metadata.output_tokens,
    responseModel: metadata.response_model,
    tools: [
      ...((metadata.tool_calls ?? []) as string[]),
      ...waiting.map(id => calls?.find(call => call.toolCallId === id)?.toolName),
    ],
  };
  // Of an answer that failed, the app gets no more than its text.
  const failed = metadata.status === 'error' || steps === undefined;
  const only = (seen: Seen): Seen => (seen.text === '' ? nothing : failed ? { ...nothing, text: seen.text } : seen);
  return { given: only(given), recorded: only(recorded) };
}
