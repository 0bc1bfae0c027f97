import { createRecorder } from 'synap-recorder';
import type { Context, Env } from './env.js';

export default {
  /** Records a turn of one conversation, `?chat=`, and answers before it is delivered. */
  async fetch(request: Request, env: Env, context: Context): Promise<Response> {
    const recorder = createRecorder({ ...env, waitUntil: promise => context.waitUntil(promise) });
    const conversationId = new URL(request.url).searchParams.get('chat') ?? undefined;
    return recorder.withIdentity({ userId: 'ada', conversationId }, async () => {
      const turn = recorder.turn();
      turn.user(`Hi from ${conversationId}`);
      await new Promise(resolve => setTimeout(resolve, 20 * Math.random()));
      turn.complete({ content: `Hello ${conversationId}`, model: 'by-hand' });
      return Response.json(recorder.stats());
    });
  },
};
