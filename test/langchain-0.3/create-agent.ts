import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { MemorySaver } from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';

/** What the tests for 1.x make of `langchain`'s createAgent, made of the agent that the old line has. */
export function createAgent({ model, ...rest }: { model: BaseChatModel; tools: []; checkpointer?: MemorySaver }) {
  const agent = createReactAgent({ llm: model, ...rest });
  return Object.assign(agent, { graph: agent });
}
