import { HumanMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { tool } from '@langchain/core/tools';
import { MemorySaver } from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { ChatOpenAI } from '@langchain/openai';
import { createRecorder } from 'synap-recorder';
import { SynapCallbackHandler } from 'synap-recorder/langchain';
import * as z from 'zod';
import { plain, report } from './report.js';

const { MODEL_URL, WAY = 'alone', ORDER } = process.env;

const neighbour = globalThis.neighbour ?? { inCase: (_, fn) => fn(), spans: () => ({}) };
const recorder =
  WAY === 'alone' ? undefined : createRecorder({ userId: 'ada', rateLimit: false, batch: { lingerMs: 5 } });
const ours = recorder ? [new SynapCallbackHandler(recorder)] : [];

const model = new ChatOpenAI({
  model: 'gpt-5',
  apiKey: 'scripted',
  maxRetries: 0,
  configuration: { baseURL: MODEL_URL },
  useResponsesApi: false,
});
const chain = ChatPromptTemplate.fromTemplate('{question}').pipe(model).pipe(new StringOutputParser());
const weather = tool(async ({ city }) => `sunny in ${city}`, {
  name: 'weather',
  description: 'Tells the weather',
  schema: z.object({ city: z.string() }),
});
const agent = createReactAgent({ llm: model, tools: [weather], checkpointer: new MemorySaver() });
const ask = (question, config) => chain.invoke({ question }, config);
const toAgent = text => ({ messages: [new HumanMessage(text)] });
const texts = ({ messages }) => messages.map(message => [message.getType(), message.text]);

async function read(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

const cases = {
  'a chain': config => ask('Why blue?', config),
  'a streamed chain': async config => read(await chain.stream({ question: 'Why blue?' }, config)),
  'a refusal of the model': config => ask('Refuse, please', config),
  'an agent': async config => texts(await agent.invoke(toAgent('Weather?'), config)),
  'a second question to an agent': async config => {
    await agent.invoke(toAgent('Why blue?'), config);
    return texts(await agent.invoke(toAgent('And red?'), config));
  },
  'a streamed agent': async config => {
    const parts = await read(await agent.stream(toAgent('Weather?'), { ...config, streamMode: 'messages' }));
    return parts.map(([message]) => message.text);
  },
  'events of an agent': async config => {
    const events = await read(agent.streamEvents(toAgent('Weather?'), { ...config, version: 'v2' }));
    return events.map(({ event, name }) => `${event} ${name}`);
  },
  '20 calls at once': config =>
    Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        ask(`Why ${index}?`, { ...config, metadata: { conversation_id: `20 calls at once, ${index}` } }),
      ),
    ),
};

const app = {};
for (const [name, hold] of Object.entries(cases)) {
  const theirs = neighbour.handlers?.() ?? [];
  const config = {
    callbacks: ORDER === 'ours first' ? [...ours, ...theirs] : [...theirs, ...ours],
    metadata: { conversation_id: name },
    configurable: { thread_id: name },
  };
  app[name] = await neighbour.inCase(name, () =>
    hold(config).then(plain, error => ({ threw: { name: error.name, message: error.message } })),
  );
}
await recorder?.close({ timeoutMs: 20_000 });
report({ app, changed: {}, spans: await neighbour.spans() });
