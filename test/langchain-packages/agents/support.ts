import { expect } from 'vitest';
import { drain, handlerOn, type Reply, ScriptedModel } from '../../langchain/support.js';

/** What LangChain calls a tool by, in a script. */
export const calling = (name: string, args: Record<string, unknown> = {}, id = `call-${name}`) => ({
  toolCalls: [{ name, args, id }],
});

/** A model that says one thing after the other, and repeats the last. */
export const model = (...replies: (Reply | string)[]) => new ScriptedModel(replies);

/** A handler, and one call's config that says who is talking where. */
export async function recordingOn() {
  const on = await handlerOn({}, { userId: undefined, conversationId: undefined });
  return {
    ...on,
    config: { callbacks: [on.handler], metadata: { user_id: 'ada', conversation_id: 'chat-42' } },
    /** All that was recorded. Every message must be the call's user's, in the call's conversation, and nothing left open. */
    async transcript() {
      const lines = await on.transcript();
      const identities = on.synap.stored.map(({ user_id, metadata }) => [user_id, metadata?.external_conversation_id]);
      expect(new Set(identities.map(String))).toEqual(new Set(lines.length > 0 ? ['ada,chat-42'] : []));
      expect(on.handler.openRuns).toBe(0);
      expect(on.losses).toEqual([]);
      return lines;
    },
  };
}

type Agent<Input> = {
  invoke(input: Input, config: object): Promise<unknown>;
  stream(input: Input, config: object): Promise<AsyncIterable<unknown>>;
};

/** The ways in which an app runs an agent: what is recorded must be the same. */
export const WAYS: readonly [string, <Input>(agent: Agent<Input>, input: Input, config: object) => Promise<unknown>][] =
  [
    ['invoked', (agent, input, config) => agent.invoke(input, config)],
    ['streamed', async (agent, input, config) => drain(await agent.stream(input, config))],
    [
      'streamed as messages',
      async (agent, input, config) => drain(await agent.stream(input, { ...config, streamMode: 'messages' })),
    ],
  ];
