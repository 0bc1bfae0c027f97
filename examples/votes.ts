import { openai } from '@ai-sdk/openai';
import * as ai from 'ai';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK } from 'synap-recorder/ai-sdk';

const answers = new Map<string, string>(); // the record of the latest answer of each conversation

const recorder = createRecorder({
  // Called once for each message that Synap has, in the process that delivers it.
  onDelivered({ role, conversationId, messageId }) {
    if (role === 'assistant' && messageId) answers.set(conversationId, messageId);
  },
});
const { generateText } = wrapAISDK(ai, recorder);

const synap = { userId: 'ada', conversationId: 'chat-42' };
const { text } = await generateText({
  model: openai.chat('gpt-5-mini'),
  prompt: 'Why is the sky blue?',
  providerOptions: { synap },
});
console.log(text);

await recorder.flush();
const conversationId = recorder.resolveConversationId(synap) ?? '';
console.log(JSON.stringify({ vote: 'up', record: answers.get(conversationId) })); // what a vote is stored with

await recorder.close(); // once, when the app ends
