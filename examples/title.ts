import { openai } from '@ai-sdk/openai';
import * as ai from 'ai';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK } from 'synap-recorder/ai-sdk';

const recorder = createRecorder(); // SYNAP_API_KEY, SYNAP_BASE_URL
const { generateText, streamText } = wrapAISDK(ai, recorder);
const model = openai.chat('gpt-5-mini');
const question = 'Why is the sky blue?';

// The title of the chat is made beside the answer. The user did not ask for it: it is no part of the conversation.
const title = recorder.withoutRecording(() =>
  generateText({ model, prompt: `A title of three words for: ${question}` }),
);

const result = streamText({
  model,
  prompt: question,
  providerOptions: { synap: { userId: 'ada', conversationId: 'chat-42' } },
});
for await (const text of result.textStream) process.stdout.write(text);
console.log(`\n[${(await title).text}]`);

await recorder.close(); // once, when the app ends
