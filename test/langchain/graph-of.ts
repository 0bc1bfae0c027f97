import type { BaseMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import type { ScriptedModel } from './support.js';

export type Node = (state: typeof MessagesAnnotation.State, config: never) => Promise<unknown> | unknown;

/** A graph of messages whose nodes run one after the other. */
export function graphOf(nodes: Record<string, Node>) {
  const graph = new StateGraph(MessagesAnnotation) as StateGraph<typeof MessagesAnnotation.spec, never, never, string>;
  let last: string = START;
  for (const [name, node] of Object.entries(nodes)) {
    graph.addNode(name, node as never);
    graph.addEdge(last as never, name as never);
    last = name;
  }
  graph.addEdge(last as never, END);
  return graph;
}

/** A node that adds what a model answers to the messages. */
export const saying = (from: ScriptedModel) => async (state: { messages: BaseMessage[] }) => ({
  messages: [await from.invoke(state.messages)],
});
