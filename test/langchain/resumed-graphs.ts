import { type AIMessage, HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { END, interrupt, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ToolNode } from '@langchain/langgraph/prebuilt';
import * as z from 'zod';
import { graphOf, saying } from './graph-of.js';
import { type On, type Reply, ScriptedModel } from './support.js';

export { graphOf, saying } from './graph-of.js';

// Graphs that stop for a human and go on.

type State = typeof MessagesAnnotation.State;

export const human = (content: string, id?: string, name?: string) =>
  new HumanMessage({ content, ...(id !== undefined && { id }), ...(name !== undefined && { name }) });
export const ask = (content: string, id?: string) => ({ messages: [human(content, id)] });
export const model = (...replies: (Reply | string)[]) => new ScriptedModel(replies);
export const checkpointed = (nodes: Parameters<typeof graphOf>[0], options: object = {}) =>
  graphOf(nodes).compile({ checkpointer: new MemorySaver(), ...options });

/** A chat that goes round: it answers, and waits for what the user says next. */
export function chat(
  wait: (state: State) => Promise<object> | object,
  from = model('A1', 'A2', 'A3'),
  options: object = {},
) {
  const graph = new StateGraph(MessagesAnnotation) as StateGraph<typeof MessagesAnnotation.spec, never, never, string>;
  graph.addNode('say', saying(from) as never);
  graph.addNode('wait', wait as never);
  graph.addEdge(START, 'say' as never);
  graph.addEdge('say' as never, 'wait' as never);
  graph.addEdge('wait' as never, 'say' as never);
  return graph.compile({ checkpointer: new MemorySaver(), ...options });
}

/** An agent with one tool, by hand: the same on both lines of core. */
export function agent(from: ScriptedModel, used: object, options: object = {}) {
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('say', saying(from))
    .addNode('tools', new ToolNode([used as never]))
    .addEdge(START, 'say')
    .addConditionalEdges('say', ({ messages }) => ((messages.at(-1) as AIMessage).tool_calls?.length ? 'tools' : END), [
      'tools',
      END,
    ])
    .addEdge('tools', 'say');
  return graph.compile({ checkpointer: new MemorySaver(), ...options });
}

export const calling = (name: string, args: object = {}, id = 'call-1'): Reply => ({
  toolCalls: [{ name, args: args as never, id }],
  usage: { input_tokens: 10, output_tokens: 1 },
});

export const thread = { configurable: { thread_id: 't' } };
export const inThread = ({ config }: On) => ({ ...config, ...thread });

/** Invokes a graph with one input after the other. */
export const invoking =
  (make: () => { invoke(input: never, config: never): Promise<unknown> }, ...inputs: unknown[]) =>
  async (on: On) => {
    const graph = make();
    for (const input of inputs) await graph.invoke(input as never, inThread(on) as never);
  };

export const waiting = (read: (reply: never) => string) => () =>
  chat(() => ({ messages: [human(read(interrupt('And then?') as never))] }));

export const asking = tool(async ({ question }: { question: string }) => interrupt(question), {
  name: 'ask_human',
  description: 'asks',
  schema: z.object({ question: z.string() }),
});

export const approving = () => {
  interrupt('ok?');
  return {};
};

// langgraph 0.4 calls it so.
export const idOf = (interrupt: object) =>
  String((interrupt as { id?: string }).id ?? (interrupt as { interrupt_id?: string }).interrupt_id);

/** A graph, what is done with it, and the transcript. */
export type Case = [name: string, run: (on: On) => Promise<unknown>, transcript: string[]];
