import { tool } from '@langchain/core/tools';
import { Command, interrupt, MemorySaver } from '@langchain/langgraph';
import { ChatOpenAI } from '@langchain/openai';
import { createAgent } from 'langchain';
import { createRecorder } from 'synap-recorder';
import { SynapCallbackHandler } from 'synap-recorder/langchain';
import * as z from 'zod';

const recorder = createRecorder({ userId: 'ada' }); // SYNAP_API_KEY, SYNAP_BASE_URL

const askHuman = tool(({ question }) => interrupt<string, string>(question), {
  name: 'ask_human',
  description: 'Asks the user for what is missing',
  schema: z.object({ question: z.string() }),
});
const agent = createAgent({
  model: new ChatOpenAI({ model: 'gpt-5-mini' }),
  tools: [askHuman],
  checkpointer: new MemorySaver(),
});

const thread = { configurable: { thread_id: 'chat-42' }, callbacks: [new SynapCallbackHandler(recorder)] };
// Recorded: what the user says, and the question of the tool as the assistant's.
await agent.invoke({ messages: [{ role: 'user', content: 'Do I need an umbrella?' }] }, thread);
// Recorded: the reply as the user's, and the answer.
const { messages } = await agent.invoke(new Command({ resume: 'In London' }), thread);
console.log(messages.at(-1)?.text);

await recorder.close(); // once, when the app ends
