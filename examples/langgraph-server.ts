// langgraph.json: { "graphs": { "chat": "./langgraph-server.ts:chat" }, "auth": { "path": "./auth.ts:auth" } }
import type { RunnableConfig } from '@langchain/core/runnables';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ChatOpenAI } from '@langchain/openai';
import { createRecorder } from 'synap-recorder';
import { SynapCallbackHandler } from 'synap-recorder/langchain';

const recorder = createRecorder(); // SYNAP_API_KEY, SYNAP_BASE_URL
const handler = new SynapCallbackHandler(recorder);
const model = new ChatOpenAI({ model: 'gpt-5-mini' });

const graph = new StateGraph(MessagesAnnotation)
  .addNode('answer', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
  .addEdge(START, 'answer')
  .addEdge('answer', END)
  .compile();

// The server asks for the graph of each run. Who is signed in is in the run's configurable.
export const chat = ({ configurable }: RunnableConfig) =>
  graph.withConfig({
    callbacks: [handler],
    metadata: { user_id: configurable?.langgraph_auth_user_id },
  });
