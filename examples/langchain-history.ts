import { ChatPromptTemplate, MessagesPlaceholder } from '@langchain/core/prompts';
import { RunnableWithMessageHistory } from '@langchain/core/runnables';
import { ChatOpenAI } from '@langchain/openai';
import { createRecorder } from 'synap-recorder';
import { SynapCallbackHandler, SynapChatMessageHistory } from 'synap-recorder/langchain';

const recorder = createRecorder({ userId: 'ada' }); // SYNAP_API_KEY, SYNAP_BASE_URL
const handler = new SynapCallbackHandler(recorder);

const prompt = ChatPromptTemplate.fromMessages([
  ['system', 'Answer in one sentence.'],
  new MessagesPlaceholder('history'),
  ['human', '{question}'],
]);
const chatbot = new RunnableWithMessageHistory({
  runnable: prompt.pipe(new ChatOpenAI({ model: 'gpt-5-mini' })),
  getMessageHistory: conversationId => new SynapChatMessageHistory(recorder, { conversationId }),
  inputMessagesKey: 'question',
  historyMessagesKey: 'history',
});

for (const question of ['Why is the sky blue?', 'And at sunset?']) {
  const stream = await chatbot.stream(
    { question },
    { callbacks: [handler], configurable: { sessionId: 'chat-42' }, metadata: { conversation_id: 'chat-42' } },
  );
  for await (const piece of stream) process.stdout.write(String(piece.content));
  process.stdout.write('\n');
}

await recorder.close(); // once, when the app ends
