import { Command, END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ChatOpenAI } from '@langchain/openai';
import { createRecorder } from 'synap-recorder';
import { SynapCallbackHandler } from 'synap-recorder/langchain';

const recorder = createRecorder(); // SYNAP_API_KEY, SYNAP_BASE_URL
const handler = new SynapCallbackHandler(recorder, { assistantNodes: ['billing', 'support'] });

const model = new ChatOpenAI({ model: 'gpt-5-mini' });
const answerer = (role: string) => async (state: typeof MessagesAnnotation.State) => ({
  messages: [await model.invoke([{ role: 'system', content: role }, ...state.messages])],
});

const graph = new StateGraph(MessagesAnnotation)
  .addNode(
    'router',
    async state => {
      const instruction = { role: 'system', content: 'Answer with one word: billing or support.' };
      const { text } = await model.invoke([instruction, ...state.messages]);
      return new Command({ goto: text.includes('billing') ? 'billing' : 'support' });
    },
    { ends: ['billing', 'support'] },
  )
  .addNode('billing', answerer('You answer questions about bills.'))
  .addNode('support', answerer('You help with technical trouble.'))
  .addEdge(START, 'router')
  .addEdge('billing', END)
  .addEdge('support', END)
  .compile();

const { messages } = await graph.invoke(
  { messages: [{ role: 'user', content: 'What do I pay in March?' }] },
  { callbacks: [handler], metadata: { user_id: 'ada', conversation_id: 'chat-42' } },
);
console.log(messages.at(-1)?.text);

await recorder.close(); // once, when the app ends
