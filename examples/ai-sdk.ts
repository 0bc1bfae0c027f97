import { openai } from '@ai-sdk/openai';
import * as ai from 'ai';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK } from 'synap-recorder/ai-sdk';

const recorder = createRecorder(); // SYNAP_API_KEY, SYNAP_BASE_URL
const { streamText } = wrapAISDK(ai, recorder);

const result = streamText({
  model: openai.chat('gpt-5-mini'),
  prompt: 'Why is the sky blue?',
  providerOptions: { synap: { userId: 'ada', conversationId: 'chat-42' } },
});
for await (const text of result.textStream) process.stdout.write(text);

await recorder.close(); // once, when the app ends
