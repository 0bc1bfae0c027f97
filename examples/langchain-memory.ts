import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate, MessagesPlaceholder } from '@langchain/core/prompts';
import { ChatOpenAI } from '@langchain/openai';
import { conversationUuid, createRecorder, SynapClient } from 'synap-recorder';
import { SynapCallbackHandler } from 'synap-recorder/langchain';

const client = new SynapClient(); // SYNAP_API_KEY, SYNAP_BASE_URL
const recorder = createRecorder({ client, userId: 'ada' });
const handler = new SynapCallbackHandler(recorder, { inputKey: 'question' }); // the memory is not recorded

const prompt = ChatPromptTemplate.fromMessages([
  ['system', 'Answer in one sentence.\n\n{memory}'],
  new MessagesPlaceholder('recent'),
  ['human', '{question}'],
]);
const chain = prompt.pipe(new ChatOpenAI({ model: 'gpt-5-mini' })).pipe(new StringOutputParser());

async function answer(chatId: string, question: string): Promise<string> {
  const conversationId = conversationUuid(chatId, { userId: 'ada' });
  // Once a turn, and for 300 ms at most: an answer without memory is better than none.
  const memory = await client.conversation.context
    .getContextForPrompt({ conversationId }, { timeoutMs: 300 })
    .catch(() => undefined);

  const recent = (memory?.recentMessages ?? []).map(({ role, content }) => ({ role, content }));
  return chain.invoke(
    { question, memory: memory?.formattedContext ?? '', recent },
    { callbacks: [handler], metadata: { conversation_id: conversationId } },
  );
}

console.log(await answer('chat-42', 'And at sunset?'));

await recorder.close(); // once, when the app ends
await client.close();
