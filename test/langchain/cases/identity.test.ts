// Who is talking, said in `configurable`.

import { MemorySaver } from '@langchain/langgraph';
import { ask, graphOf, model, prompt, saying } from './apps.js';
import type { Situation } from './processes.js';
import { type Case, runCases } from './run-cases.js';

const transcript = ['user: Why?', 'assistant: Because.'];

async function invoke(
  { config }: Situation,
  configurable: object,
  metadata?: Record<string, unknown>,
): Promise<unknown> {
  const graph = graphOf({ say: saying(model('Because.')) }).compile({ checkpointer: new MemorySaver() });
  const call = { ...config, configurable: { thread_id: 't', ...configurable }, ...(metadata && { metadata }) };
  return (await graph.invoke(ask('Why?'), call)).messages.length;
}

const cases: Case[] = [
  {
    name: 'a graph is called for a user in configurable',
    app: on => invoke(on, { user_id: 'grace' }),
    transcript,
    because: 'that is nearer than the defaults',
    of: { user_id: 'grace' },
  },
  {
    name: 'a chain is called for a user in configurable',
    app: async ({ config }) =>
      (
        await prompt
          .pipe(model('Because.'))
          .invoke({ question: 'Why?' }, { ...config, configurable: { user_id: 'grace' } })
      ).text,
    transcript,
    because: 'that is nearer than the defaults',
    of: { user_id: 'grace' },
  },
  {
    name: 'a graph is called for a customer in configurable',
    app: on => invoke(on, { customer_id: 'acme', user_id: 'grace' }),
    transcript,
    because: 'that is nearer than the defaults',
    of: { user_id: 'grace', customer_id: 'acme' },
  },
  {
    name: 'a graph is called for somebody who has signed in at LangGraph',
    app: on => invoke(on, { langgraph_auth_user_id: 'grace' }),
    transcript,
    because: 'a server’s signed-in user is the nearest',
    of: { user_id: 'grace' },
  },
  {
    name: 'a signed-in user, and another one in the metadata of the run',
    app: on => invoke(on, { langgraph_auth_user_id: 'grace' }, { user_id: 'mallory' }),
    transcript,
    because: 'the metadata comes from the client; a signed-in user beats it',
    of: { user_id: 'grace' },
  },
  {
    name: 'a user in the metadata, and another one in configurable',
    app: on => invoke(on, { user_id: 'ada' }, { user_id: 'grace' }),
    transcript,
    because: 'the metadata is what the call says to handlers',
    of: { user_id: 'grace' },
  },
  {
    name: 'a conversation in configurable, beside a thread',
    app: on => invoke(on, { conversation_id: 'chat-7' }),
    transcript,
    because: 'a conversation that is named beats a thread',
    recorderOptions: { conversationId: undefined },
    check: ({ metadata }) => {
      for (const fields of metadata)
        if (fields?.external_conversation_id !== 'chat-7') throw new Error(`${fields?.external_conversation_id}`);
    },
  },
];

runCases('who is talking', cases);
