import { SynapClient, SynapError } from 'synap-recorder';
import type { Env } from './env.js';

export default {
  /** Records one message by the client, and answers with the receipt, or with what the error says of itself. */
  async fetch(_: Request, env: Env): Promise<Response> {
    const client = new SynapClient(env);
    const conversationId = '0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e';
    try {
      const message = { conversationId, role: 'user', content: 'Hi', userId: 'ada' } as const;
      return Response.json(await client.conversation.recordMessage(message));
    } catch (error) {
      if (!SynapError.is(error)) throw error;
      return Response.json({ ...error.toJSON(), sent: 'sent' in error ? error.sent : undefined });
    }
  },
};
