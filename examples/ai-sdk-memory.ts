import { openai } from '@ai-sdk/openai';
import * as ai from 'ai';
import { conversationUuid, createRecorder, SynapClient } from 'synap-recorder';
import { wrapAISDK } from 'synap-recorder/ai-sdk';

const client = new SynapClient(); // SYNAP_API_KEY, SYNAP_BASE_URL
const recorder = createRecorder({ client, userId: 'ada' });
const { streamText } = wrapAISDK(ai, recorder);

async function answer(chatId: string, question: string): Promise<void> {
  const conversationId = conversationUuid(chatId, { userId: 'ada' });
  // Once a turn, and for 300 ms at most: an answer without memory is better than none.
  const memory = await client.conversation.context
    .getContextForPrompt({ conversationId }, { timeoutMs: 300 })
    .catch(() => undefined);

  const { textStream } = streamText({
    model: openai.chat('gpt-5-mini'),
    instructions: ['Answer in one sentence.', memory?.formattedContext].filter(Boolean).join('\n\n'), // not recorded
    messages: [
      ...(memory?.recentMessages ?? []).map(({ role, content }) => ({ role, content }) as ai.ModelMessage),
      { role: 'user', content: question },
    ],
    providerOptions: { synap: { conversationId } },
  });
  for await (const text of textStream) process.stdout.write(text);
}

await answer('chat-42', 'And at sunset?');

await recorder.close(); // once, when the app ends
await client.close();
