import { createRecorder, type Recorder } from 'synap-recorder';
import type { Env } from './env.js';

let kept: Recorder | undefined;

export default {
  /** Keeps the recorder of its first request for those that follow, which no worker may do. */
  async fetch(_: Request, env: Env): Promise<Response> {
    kept ??= createRecorder({ ...env, userId: 'ada' });
    kept.turn({ conversationId: 'c' }).user('Hi');
    return Response.json(await kept.flush({ timeoutMs: 1000 }));
  },
};
