import { END, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
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
  .compile({ checkpointer: new MemorySaver() });

// Who is talking where: the thread is the conversation.
const config = { callbacks: [handler], configurable: { thread_id: 'chat-42', user_id: 'ada' } };

for (const question of ['Why is the sky blue?', 'And at sunset?']) {
  const { messages } = await graph.invoke({ messages: [{ role: 'user', content: question }] }, config);
  console.log(messages.at(-1)?.text);
}

await recorder.close(); // once, when the app ends
