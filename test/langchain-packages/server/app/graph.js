// The graphs of an app that runs on LangGraph's own server, as its docs write them.
import { HumanMessage } from '@langchain/core/messages';
import { interrupt, MessagesAnnotation, StateGraph } from '@langchain/langgraph';
import { ChatOpenAI } from '@langchain/openai';
import { createRecorder } from 'synap-recorder';
import { SynapCallbackHandler } from 'synap-recorder/langchain';

const recorder = createRecorder({ rateLimit: false, batch: { lingerMs: 5 }, retry: { baseMs: 5 } });
const handler = new SynapCallbackHandler(recorder);
const model = new ChatOpenAI({ model: 'gpt-5-mini', maxRetries: 0 });

const graph = new StateGraph(MessagesAnnotation)
  .addNode('answer', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
  .addEdge('__start__', 'answer')
  .addEdge('answer', '__end__')
  .compile();

const asking = new StateGraph(MessagesAnnotation)
  .addNode('approve', async () => {
    const said = interrupt({ question: 'Which city?' });
    return { messages: typeof said === 'string' ? [new HumanMessage(said)] : [] };
  })
  .addNode('answer', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
  .addEdge('__start__', 'approve')
  .addEdge('approve', 'answer')
  .addEdge('answer', '__end__')
  .compile();

/** A factory, asked for each run. */
const factory = compiled => config =>
  compiled.withConfig({
    callbacks: [handler],
    metadata: { user_id: config.configurable?.langgraph_auth_user_id ?? 'guest' },
  });

export const chat = factory(graph);
export const ask = factory(asking);
/** Without a factory: who is signed in is seen all the same. */
export const plain = graph.withConfig({ callbacks: [handler] });
