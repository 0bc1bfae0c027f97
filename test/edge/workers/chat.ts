import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { streamText } from 'ai';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK, wrapModel } from 'synap-recorder/ai-sdk';
import type { Context, Env } from './env.js';

export default {
  /**
   * Streams a model's answer. `?signal` passes the request's signal on, so that a reader who goes away stops the model;
   * `?functions` wraps the function instead of the model, and `?ui` answers as UI messages.
   */
  async fetch(request: Request, { modelUrl = '', ...env }: Env, context: Context): Promise<Response> {
    const recorder = createRecorder({ ...env, userId: 'ada', waitUntil: promise => context.waitUntil(promise) });
    const { chatModel } = createOpenAICompatible({ name: 'scripted', baseURL: modelUrl, apiKey: 'scripted' });
    const { searchParams } = new URL(request.url);
    const identity = { conversationId: 'chat-42', idleMs: 500 };
    const byFunctions = searchParams.has('functions');
    const model = chatModel('gpt-5');
    const ask = byFunctions ? wrapAISDK({ streamText }, recorder, identity).streamText : streamText;
    const result = ask({
      model: byFunctions ? model : wrapModel(model, recorder, identity),
      prompt: await request.text(),
      ...(searchParams.has('signal') && { abortSignal: request.signal }),
    });
    return searchParams.has('ui') ? result.toUIMessageStreamResponse() : result.toTextStreamResponse();
  },
};
