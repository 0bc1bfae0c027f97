import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { streamText } from 'ai';
import { createRecorder } from 'synap-recorder';
import { wrapModel } from 'synap-recorder/ai-sdk';
import type { Context, Env } from './env.js';

export default {
  /** Streams a model's answer. `?signal` passes the request's signal on, so that a reader who goes away stops the model. */
  async fetch(request: Request, { modelUrl = '', ...env }: Env, context: Context): Promise<Response> {
    const recorder = createRecorder({ ...env, userId: 'ada', waitUntil: promise => context.waitUntil(promise) });
    const { chatModel } = createOpenAICompatible({ name: 'scripted', baseURL: modelUrl, apiKey: 'scripted' });
    const model = wrapModel(chatModel('gpt-5'), recorder, { conversationId: 'chat-42', idleMs: 500 });
    const passed = new URL(request.url).searchParams.has('signal');
    return streamText({
      model,
      prompt: await request.text(),
      ...(passed && { abortSignal: request.signal }),
    }).toTextStreamResponse();
  },
};
