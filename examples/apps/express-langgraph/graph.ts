import { tool } from '@langchain/core/tools';
import { END, type GraphNode, MemorySaver, MessagesValue, START, StateGraph, StateSchema } from '@langchain/langgraph';
import { ToolNode, toolsCondition } from '@langchain/langgraph/prebuilt';
import { ChatOpenAI } from '@langchain/openai';
import * as z from 'zod';

const trackParcel = tool(({ parcel }) => `Parcel ${parcel} left Lisbon this morning and arrives tomorrow.`, {
  name: 'track_parcel',
  description: 'Where a parcel is, and when it arrives',
  schema: z.object({ parcel: z.string().describe('The number on the receipt, such as P-1815') }),
});

const State = new StateSchema({ messages: MessagesValue });
const model = new ChatOpenAI({ model: 'gpt-5-mini' }).bindTools([trackParcel]);
const instructions = { role: 'system', content: 'You answer the customers of a parcel service, briefly.' };

const assistant: GraphNode<typeof State> = async ({ messages }) => ({
  messages: [await model.invoke([instructions, ...messages])],
});

/** A customer-service agent that looks parcels up, and remembers its threads for as long as the process lives. */
export const graph = new StateGraph(State)
  .addNode('assistant', assistant)
  .addNode('tools', new ToolNode([trackParcel]))
  .addEdge(START, 'assistant')
  .addConditionalEdges('assistant', toolsCondition, ['tools', END])
  .addEdge('tools', 'assistant')
  .compile({ checkpointer: new MemorySaver() });
