// What unfinished runs hold in memory.

import { AsyncLocalStorage } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate, MessagesPlaceholder } from '@langchain/core/prompts';
import { MessagesAnnotation, StateGraph } from '@langchain/langgraph';
import { expect, it } from 'vitest';
import { runs } from '../../support/runs.js';
import { turns } from '../../support/turns.js';
import { handlerOn, type On, ScriptedModel } from '../support.js';

const RUNS = runs(2000, 10_000);
const MIB = 1024 * 1024;
const LIMIT = 64 * MIB;
const HISTORY_BYTES = 100_000;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

type Start = (on: On, index: number) => unknown;

async function heldBy(start: Start, idleMs = 300_000): Promise<number> {
  await using on = await handlerOn({ idleMs });
  // Each run is started by a request of its own, so that none is inside another.
  const outside = AsyncLocalStorage.snapshot();
  await outside(start, on, -1);
  await turns();
  collect();
  const before = process.memoryUsage().heapUsed + process.memoryUsage().external;
  for (let index = 0; index < RUNS; index++) await outside(start, on, index);
  // Those that are idle for so long are dormant by then.
  if (idleMs < 300_000) await new Promise(resolve => setTimeout(resolve, idleMs * 1.5));
  await on.recorder.flush();
  on.synap.stored.length = 0;
  on.synap.requests.length = 0;
  collect();
  // What is collected is told of in a later turn of the event loop.
  await turns();
  collect();
  return process.memoryUsage().heapUsed + process.memoryUsage().external - before;
}

/** A history of 100 KB whose text no other history shares. */
function history(index: number) {
  const text = Buffer.alloc(HISTORY_BYTES / 2, `${index} `).toString('latin1');
  return [new HumanMessage(text), new AIMessage(text), new HumanMessage(`Question ${index}`)];
}

/** A text of 100 KB that no other run has. */
function longText(index: number): string {
  return Buffer.alloc(HISTORY_BYTES, `${index} `).toString('latin1');
}

/** A history of 100 KB in a thousand messages. */
function manyMessages(index: number): BaseMessage[] {
  const messages = Array.from({ length: 999 }, (_, place) => {
    const fields = { id: `${index}-${place}`, content: `${index}-${place}`.padEnd(100, '.') };
    return place % 2 ? new HumanMessage(fields) : new AIMessage(fields);
  });
  return [...messages, new HumanMessage(`Question ${index}`)];
}

const node = (name: string) => ({ langgraph_node: name, langgraph_step: 1, langgraph_checkpoint_ns: `${name}:1` });

function startNode(handler: On['handler'], index: number, input: object): void {
  const tags = ['graph:step:1'];
  handler.handleChainStart({}, input, `node-${index}`, `run-${index}`, tags, node('agent'), undefined, 'agent');
}

function startModel({ handler }: On, index: number, messages: BaseMessage[], metadata = {}): string {
  const call = `call-${index}`;
  handler.handleChatModelStart({}, [messages], call, `run-${index}`, { options: {} }, [], metadata);
  return call;
}

function endModel({ handler }: On, index: number, message: AIMessage): void {
  handler.handleLLMEnd({ generations: [[{ text: String(message.content), message }]] }, `call-${index}`);
}

const model = new ScriptedModel(['An answer in several words']);
const prompt = ChatPromptTemplate.fromMessages([new MessagesPlaceholder('history'), ['human', '{question}']]);
const chain = prompt.pipe(model).pipe(new StringOutputParser());
const graph = new StateGraph(MessagesAnnotation)
  .addNode('agent', async ({ messages }, config) => ({ messages: [await model.invoke(messages, config)] }))
  .addEdge('__start__', 'agent')
  .addEdge('agent', '__end__')
  .compile();

/** Reads one piece of a stream, and no more. */
async function readOne(stream: Promise<AsyncIterable<unknown>>): Promise<void> {
  await (await stream)[Symbol.asyncIterator]().next();
  model.prompts.length = 0;
}

/** Runs that never end, each with 100 KB of the app's. */
const unfinished: Record<string, Start> = {
  'graphs with a history': ({ handler }, index) => {
    handler.handleChainStart({}, { messages: history(index) }, `run-${index}`);
  },
  'graphs whose model never answers': (on, index) => {
    const messages = history(index);
    on.handler.handleChainStart({}, { messages }, `run-${index}`);
    on.handler.handleLLMNewToken('Half', { prompt: 0, completion: 0 }, startModel(on, index, messages));
  },
  'chains of an input that is all text': ({ handler }, index) => {
    handler.handleChainStart({}, { question: `Question ${index}`, documents: longText(index) }, `run-${index}`);
  },
  'graphs with a history of many messages': ({ handler }, index) => {
    const messages = manyMessages(index);
    handler.handleChainStart({}, { messages }, `run-${index}`, undefined, [], { thread_id: `${index}` });
    startNode(handler, index, { messages });
  },
  'graphs whose history ends with a long result of a tool': ({ handler }, index) => {
    const messages = [new HumanMessage(`Question ${index}`), new AIMessage(longText(index))];
    handler.handleChainStart({}, { messages }, `run-${index}`);
    startNode(handler, index, { messages });
  },
  'chains whose model has said much at once': (on, index) => {
    on.handler.handleChainStart({}, { input: `Question ${index}` }, `run-${index}`);
    startModel(on, index, history(index));
    endModel(on, index, new AIMessage(longText(index)));
  },
  'agents whose model has given much to a tool': (on, index) => {
    on.handler.handleChainStart({}, { input: `Question ${index}` }, `run-${index}`);
    startModel(on, index, history(index));
    const call = { id: 'call', name: 'write', args: { text: longText(index) } };
    endModel(on, index, new AIMessage({ content: '', tool_calls: [call] }));
  },
  'graphs whose node has put a long answer into the state': ({ handler }, index) => {
    handler.handleChainStart({}, { messages: [new HumanMessage(`Question ${index}`)] }, `run-${index}`);
    startNode(handler, index, {});
    handler.handleChainEnd({ messages: [new AIMessage(longText(index))] }, `node-${index}`);
  },
  'agents that have made a long structured answer': ({ handler }, index) => {
    handler.handleChainStart({}, { input: `Question ${index}` }, `run-${index}`);
    handler.handleChainStart({}, {}, `step-${index}`, `run-${index}`);
    handler.handleChainEnd({ structuredResponse: { text: longText(index) } }, `step-${index}`);
  },
  'chains whose step has given much to the next one': ({ handler }, index) => {
    handler.handleChainStart({}, { input: `Question ${index}` }, `run-${index}`);
    handler.handleChainStart({}, {}, `step-${index}`, `run-${index}`, ['seq:step:1']);
    handler.handleChainEnd({ documents: [longText(index)] }, `step-${index}`);
  },
  'models that have streamed 200 pieces': (on, index) => {
    on.handler.handleChainStart({}, { messages: history(index) }, `run-${index}`);
    const call = startModel(on, index, history(index));
    for (let piece = 0; piece < 200; piece++)
      on.handler.handleLLMNewToken(`${piece}-${index} `, { prompt: 0, completion: 0 }, call);
  },
  'streams of a model that nobody reads on': ({ handler }, index) =>
    readOne(model.stream(history(index), { callbacks: [handler] })),
  'streams of a chain that nobody reads on': ({ handler }, index) =>
    readOne(chain.stream({ history: history(index), question: `Question ${index}` }, { callbacks: [handler] })),
  'streams of a graph that nobody reads on': ({ handler }, index) =>
    readOne(graph.stream({ messages: history(index) }, { callbacks: [handler], streamMode: 'messages' })),
};

for (const [what, start] of Object.entries(unfinished))
  it(`${RUNS} ${what} hold less than 64 MiB while they never end`, async () => {
    expect((await heldBy(start)) / MIB).toBeLessThan(LIMIT / MIB);
  });

it(`${RUNS} graphs that were given up hold no input`, async () => {
  const start = unfinished['graphs with a history'] as Start;
  expect((await heldBy(start, 2000)) / MIB).toBeLessThan(LIMIT / MIB / 4);
});

/** Runs that end in some way. */
const finished: Record<string, Start> = {
  'that have answered': ({ handler }, index) => {
    const messages = history(index);
    handler.handleChainStart({}, { messages }, `run-${index}`);
    handler.handleChainEnd({ messages: [...messages, new AIMessage('Because.')] }, `run-${index}`);
  },
  'that have failed': (on, index) => {
    const messages = history(index);
    on.handler.handleChainStart({}, { messages }, `run-${index}`);
    on.handler.handleLLMNewToken('Half', { prompt: 0, completion: 0 }, startModel(on, index, messages));
    on.handler.handleChainError(new Error(longText(index)), `run-${index}`);
  },
  'that were aborted': ({ handler }, index) => {
    const { signal } = new AbortController();
    const messages = history(index);
    handler.handleChainStart({}, { messages }, `run-${index}`);
    handler.handleChatModelStart({}, [messages], `call-${index}`, `run-${index}`, { options: { signal } }, [], {});
    handler.handleChainError(Object.assign(new Error('Aborted'), { name: 'AbortError' }), `run-${index}`);
  },
};

for (const [how, start] of Object.entries(finished))
  it(`${RUNS} graphs ${how} hold next to nothing`, async () => {
    expect((await heldBy(start)) / MIB).toBeLessThan(LIMIT / MIB / 4);
  });
