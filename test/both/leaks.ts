// Runs in a process of its own, once in each of Node's modes to keep async context. Prints where a scope was seen.
import { RunnableLambda } from '@langchain/core/runnables';
import { Annotation, END, START, StateGraph } from '@langchain/langgraph';
import { createRecorder } from '../../dist/index.js';
import { SynapCallbackHandler } from '../../dist/langchain/index.js';
import { scopeOf } from '../../dist/recorder/scope.js';

// Nothing listens there, and nothing is waited for.
const recorder = createRecorder({ apiKey: 'key', baseUrl: 'http://127.0.0.1:9', userId: 'ada', logger: false });
const seen: Record<string, string[]> = {};
let way = '';
const see = (where: string) => {
  if (scopeOf(recorder) !== undefined && !seen[way]?.includes(where)) seen[way]?.push(where);
};
const config = () => ({ callbacks: [new SynapCallbackHandler(recorder, { logger: false })] });
const step = RunnableLambda.from(async (text: string) => {
  await null;
  see('inside');
  return text;
});
const chain = step.pipe(step);
const State = Annotation.Root({ text: Annotation<string>() });
const graph = new StateGraph(State)
  .addNode('reply', async ({ text }) => ({ text: await step.invoke(text) }))
  .addEdge(START, 'reply')
  .addEdge('reply', END)
  .compile();

const read = async (stream: AsyncIterable<unknown> | Promise<AsyncIterable<unknown>>) => {
  for await (const _ of await stream) see('reader');
};
const ways: Record<string, () => Promise<unknown>> = {
  invoke: () => step.invoke('x', config()),
  batch: () => chain.batch(['x', 'y'], config()),
  'sequence.invoke': () => chain.invoke('x', config()),
  'sequence.stream': () => read(chain.stream('x', config())),
  streamEvents: () => read(chain.streamEvents('x', { ...config(), version: 'v2' })),
  'lambda.stream': () => read(step.stream('x', config())),
  'graph.invoke': () => graph.invoke({ text: 'x' }, config()),
  'graph.stream': () => read(graph.stream({ text: 'x' }, config())),
  'graph.streamEvents': () => read(graph.streamEvents({ text: 'x' }, { ...config(), version: 'v2' })),
};

for (const [name, run] of Object.entries(ways)) {
  way = name;
  seen[way] = [];
  const sibling = (async () => {
    for (let turn = 0; turn < 20; turn++) {
      await new Promise(setImmediate);
      see('sibling');
    }
  })();
  const running = run();
  see('caller, at once');
  await running;
  see('caller, after');
  await sibling;
  await new Promise(setImmediate);
  see('caller, later');
}
console.log(JSON.stringify(seen));
await recorder.close({ timeoutMs: 0 });
