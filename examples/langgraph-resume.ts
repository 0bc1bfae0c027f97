import { HumanMessage } from '@langchain/core/messages';
import { Command, END, interrupt, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ChatOpenAI } from '@langchain/openai';
import { createRecorder } from 'synap-recorder';
import { SynapCallbackHandler } from 'synap-recorder/langchain';

const recorder = createRecorder({ userId: 'ada' }); // SYNAP_API_KEY, SYNAP_BASE_URL
const callbacks = [new SynapCallbackHandler(recorder)];
const model = new ChatOpenAI({ model: 'gpt-5-mini' });

const graph = new StateGraph(MessagesAnnotation)
  .addNode('answer', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
  .addNode('wait', () => {
    const reply = interrupt('Anything else?');
    return typeof reply === 'string' ? { messages: [new HumanMessage(reply)] } : {};
  })
  .addEdge(START, 'answer')
  .addEdge('answer', 'wait')
  .addConditionalEdges('wait', ({ messages }) => (messages.at(-1)?.getType() === 'human' ? 'answer' : END))
  .compile({ checkpointer: new MemorySaver() });

const thread = { configurable: { thread_id: 'chat-42' }, callbacks }; // the thread is the conversation

// A question: user, assistant.
await graph.invoke({ messages: [{ role: 'user', content: 'What is a monad?' }] }, thread);

// The reply to an interrupt, which the graph makes a message of: user, assistant.
await graph.invoke(new Command({ resume: 'And a functor?' }), thread);

// What is put into the state before the graph goes on: user, assistant.
await graph.updateState(thread, { messages: [new HumanMessage('And a monoid?')] }, 'wait');
await graph.invoke(null, thread);

// The same in one step: user, assistant.
const update = { messages: [new HumanMessage({ id: 'question-4', content: 'And a group?' })] };
await graph.invoke(new Command({ resume: true, update }), thread);

// A fork that edits the question: the edited message, under its id, and another answer.
for await (const { next, values, config } of graph.getStateHistory(thread)) {
  if (!next.includes('answer') || values.messages.at(-1)?.id !== 'question-4') continue;
  const edited = { messages: [new HumanMessage({ id: 'question-4', content: 'And a ring?' })] };
  const fork = await graph.updateState(config, edited);
  await graph.invoke(null, { ...fork, callbacks });
  break;
}

// An approval, which says nothing: no message, and no answer again.
await graph.invoke(new Command({ resume: true }), thread);

await recorder.close(); // once, when the app ends
