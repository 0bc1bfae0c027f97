// What recording costs a stream of LangChain's, beside no handler and beside others' handlers. Run: npm run langchain

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import { awaitAllCallbacks } from '@langchain/core/callbacks/promises';
import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessageChunk } from '@langchain/core/messages';
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { LangChainTracer } from '@langchain/core/tracers/tracer_langchain';
import { CallbackHandler as LangfuseHandler } from '@langfuse/langchain';
import { LangfuseSpanProcessor } from '@langfuse/otel';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { Client } from 'langsmith';
import { createRecorder } from 'synap-recorder';
import { SynapCallbackHandler } from 'synap-recorder/langchain';
import { pair, print } from './pair.ts';

const TOKENS = 20_000;
const ROUNDS = Number(process.env.ROUNDS ?? 40);

// Everybody sends to the same server, which takes everything.
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
});
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** A model that streams as fast as it is read. */
class Fast extends BaseChatModel {
  _llmType() {
    return 'fast';
  }

  async _generate(): Promise<ChatResult> {
    throw new Error('only streams');
  }

  override async *_streamResponseChunks(
    ...[, , manager]: Parameters<NonNullable<BaseChatModel['_streamResponseChunks']>>
  ): AsyncGenerator<ChatGenerationChunk> {
    for (let token = 0; token < TOKENS; token++) {
      const chunk = new ChatGenerationChunk({ text: 'word ', message: new AIMessageChunk('word ') });
      yield chunk;
      await manager?.handleLLMNewToken('word ', undefined, undefined, undefined, undefined, { chunk });
    }
  }
}

const telemetry = new NodeSDK({
  spanProcessors: [new LangfuseSpanProcessor({ publicKey: 'k', secretKey: 'k', baseUrl: url })],
});
telemetry.start();
const recorder = createRecorder({ apiKey: 'k', baseUrl: url, userId: 'u', conversationId: 'c', rateLimit: false });

/** The least that an awaited handler can cost. */
class Empty extends BaseCallbackHandler {
  name = 'empty';
  override awaitHandlers = true;
  override handleLLMNewToken(): void {}
}

const handlers = {
  none: [],
  empty: [new Empty()],
  synap: [new SynapCallbackHandler(recorder)],
  langfuse: [new LangfuseHandler()],
  langsmith: [new LangChainTracer({ projectName: 'bench', client: new Client({ apiUrl: url, apiKey: 'k' }) })],
};

const model = new Fast({});
const chain = ChatPromptTemplate.fromTemplate('{question}').pipe(model);

const streams = {
  'a model': (callbacks: object[]) => model.stream('Go', { callbacks: callbacks as never }),
  'a chain': (callbacks: object[]) => chain.stream({ question: 'Go' }, { callbacks: callbacks as never }),
};

for (const [what, open] of Object.entries(streams)) {
  // Some handlers do their work in LangChain's background queue: it is part of their cost.
  const reading = (callbacks: object[]) => async () => {
    for await (const _ of await open(callbacks));
    await awaitAllCallbacks();
  };
  const rows = await pair(
    [
      { name: 'no handler', run: reading(handlers.none) },
      { name: 'no handler, again (A/A)', run: reading(handlers.none) },
      { name: 'an empty handler, awaited', run: reading(handlers.empty) },
      { name: '**synap-recorder**', run: reading(handlers.synap) },
      { name: '@langfuse/langchain', run: reading(handlers.langfuse) },
      { name: 'LangSmith, LangChainTracer', run: reading(handlers.langsmith) },
    ],
    ROUNDS,
  );
  print(`a stream of ${TOKENS} tokens, ${what}`, rows);
  const base = rows[0]?.ms ?? 0;
  for (const { name, ms } of rows.slice(1))
    console.log(`${name}: ${(((ms - base) / TOKENS) * 1000).toFixed(2)} µs a token more`);
}

await recorder.close();
server.closeAllConnections();
server.close();
process.exit(0);
