// One request of a LangGraph app: a process of its own, which goes on with a thread that is kept in a file. Takes a folder,
// Synap's address, and what to do:
//
//   ask <text>       the thread's graph writes a draft, and waits for an approval before it publishes it
//   resume <json>    answers the interrupt
//   go-on            invoke(null)
//   replay <node>    invoke(null) from the checkpoint before a node
//   ask-and-hang     as ask, and the model never answers: the process prints "thinking", and is killed
//   retry <text>     a chain without LangGraph, under a run id of the app's that is the same each time
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages';
import { RunnableLambda } from '@langchain/core/runnables';
import { Command, END, interrupt, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { createRecorder } from '../../../dist/index.js';
import { SynapCallbackHandler } from '../../../dist/langchain/index.js';
import { sqliteOutbox } from '../../../dist/outbox/sqlite/index.js';

const [folder = '', baseUrl = '', action = '', text = ''] = process.argv.slice(2);
const file = join(folder, 'thread.bin');

/** Keeps threads in a file. */
class FileSaver extends MemorySaver {
  constructor() {
    super();
    if (existsSync(file)) Object.assign(this, deserialize(readFileSync(file)));
  }
  override async put(...given: Parameters<MemorySaver['put']>) {
    const config = await super.put(...given);
    this.#save();
    return config;
  }
  override async putWrites(...given: Parameters<MemorySaver['putWrites']>) {
    await super.putWrites(...given);
    this.#save();
  }
  #save() {
    writeFileSync(file, serialize({ storage: this.storage, writes: this.writes }));
  }
}

let calls = 0;
async function answer(messages: BaseMessage[]) {
  if (action === 'ask-and-hang') {
    console.log('thinking');
    await new Promise(resolve => setTimeout(resolve, 100_000));
  }
  calls++;
  return new AIMessage({ id: `${process.pid}-${calls}`, content: `Re: ${messages.at(-1)?.content}` });
}

const graph = new StateGraph(MessagesAnnotation)
  .addNode('draft', async ({ messages }) => ({ messages: [await answer(messages)] }))
  .addNode('approve', () => {
    const said = interrupt('Is it good?');
    return typeof said === 'string' ? { messages: [new HumanMessage(said)] } : {};
  })
  .addNode('publish', async ({ messages }) =>
    messages.at(-1)?.getType() === 'human' ? { messages: [await answer(messages)] } : {},
  )
  .addEdge(START, 'draft')
  .addEdge('draft', 'approve')
  .addEdge('approve', 'publish')
  .addEdge('publish', END)
  .compile({ checkpointer: new FileSaver() });

const outbox = sqliteOutbox({ path: join(folder, 'outbox.db') });
const recorder = createRecorder({
  apiKey: 'key',
  baseUrl,
  userId: 'ada',
  outbox,
  batch: { lingerMs: 5 },
  rateLimit: false,
});
const config = { callbacks: [new SynapCallbackHandler(recorder)], configurable: { thread_id: 'thread-1' } };

async function checkpointBefore(node: string) {
  for await (const { next, config } of graph.getStateHistory({ configurable: config_ }))
    if (next.includes(node)) return config;
  return {};
}
const config_ = config.configurable;

const chain = RunnableLambda.from((question: string) => `Re: ${question}`);
const actions: Record<string, () => Promise<unknown>> = {
  ask: () => graph.invoke({ messages: [{ role: 'user', content: text }] }, config),
  'ask-and-hang': () => graph.invoke({ messages: [{ role: 'user', content: text }] }, config),
  resume: () => graph.invoke(new Command({ resume: JSON.parse(text) }), config),
  'go-on': () => graph.invoke(null, config),
  replay: async () => graph.invoke(null, { ...config, ...(await checkpointBefore(text)) }),
  retry: () =>
    chain.invoke(text, {
      ...config,
      runId: '0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e',
      metadata: { thread_id: 'thread-1' },
    }),
};
await actions[action]?.();
await recorder.close();
