import { ChatPromptTemplate } from '@langchain/core/prompts';
import { FakeStreamingChatModel } from '@langchain/core/utils/testing';
import { createRecorder } from 'synap-recorder';
import { SynapCallbackHandler } from 'synap-recorder/langchain';
import type { Context, Env } from './env.js';

export default {
  /** Runs a chain over a model that repeats what it is asked. */
  async fetch(request: Request, env: Env, context: Context): Promise<Response> {
    const recorder = createRecorder({ ...env, waitUntil: promise => context.waitUntil(promise) });
    const handler = new SynapCallbackHandler(recorder, { userId: 'ada', conversationId: 'chat-42' });
    const chain = ChatPromptTemplate.fromTemplate('{question}').pipe(new FakeStreamingChatModel({}));
    const { text } = await chain.invoke({ question: await request.text() }, { callbacks: [handler] });
    return new Response(text);
  },
};
