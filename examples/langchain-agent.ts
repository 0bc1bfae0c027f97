import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { createAgent } from 'langchain';
import { createRecorder } from 'synap-recorder';
import { SynapCallbackHandler } from 'synap-recorder/langchain';
import * as z from 'zod';

const recorder = createRecorder(); // SYNAP_API_KEY, SYNAP_BASE_URL
const handler = new SynapCallbackHandler(recorder);

const weather = tool(async ({ city }) => `17 °C and clear in ${city}`, {
  name: 'weather',
  description: 'The weather of a city, now',
  schema: z.object({ city: z.string() }),
});
const agent = createAgent({ model: new ChatOpenAI({ model: 'gpt-5-mini' }), tools: [weather] });

// The options of an agent's stream have no metadata, so who is talking where is said around it.
await recorder.withIdentity({ userId: 'ada', conversationId: 'chat-42' }, async () => {
  const stream = await agent.stream(
    { messages: [{ role: 'user', content: 'Do I need an umbrella in London?' }] },
    { callbacks: [handler], streamMode: 'messages' },
  );
  for await (const [piece] of stream) if (piece.type === 'ai') process.stdout.write(piece.text);
});

await recorder.close(); // once, when the app ends
