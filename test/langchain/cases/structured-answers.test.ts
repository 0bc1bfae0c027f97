// Answers that are objects: one way to write them down, whichever way they are asked for.

import { ChatOpenAI } from '@langchain/openai';
import { createAgent, providerStrategy, toolStrategy } from 'langchain';
import * as z from 'zod';
import { type ModelScript, scriptedModel } from '../../support/scripted-model.js';
import { ask, prompt } from './apps.js';
import type { Situation } from './processes.js';
import { type Case, runCases } from './run-cases.js';

const City = z.object({ city: z.string(), sunny: z.boolean() });
const rome = { city: 'Rome', sunny: true };
const json = JSON.stringify(rome);
const question = { question: 'Weather?' };

/** A model of OpenAI's in front of a scripted server. */
async function withModel<T>(script: ModelScript, act: (model: ChatOpenAI) => Promise<T>): Promise<T> {
  await using server = await scriptedModel(script);
  return await act(
    new ChatOpenAI({
      model: 'gpt-5',
      apiKey: 'k',
      maxRetries: 0,
      configuration: { baseURL: server.url },
      useResponsesApi: false,
    }),
  );
}

/** Answers with the object as text, or, where there is a tool for it, by a call of that tool. */
const answering: ModelScript = request => {
  const tool = (request as { tools?: { function: { name: string } }[] }).tools?.[0]?.function.name;
  return tool === undefined
    ? { text: [json] }
    : { text: '', toolCalls: [{ id: 'call-1', name: tool, arguments: rome }] };
};

const said = ['user: Weather?', `assistant: ${json}`];
const because = 'the JSON is the answer, with what is known of the call that made it';
const made = (finishReason: string) => [undefined, { model: 'gpt-5', finish_reason: finishReason, status: 'complete' }];

type Method = 'functionCalling' | 'jsonMode' | 'jsonSchema';

const chains: Case[] = (['functionCalling', 'jsonMode', 'jsonSchema'] as Method[]).flatMap(method => {
  const finish = method === 'functionCalling' ? 'tool_calls' : 'stop';
  return [false, true].flatMap((includeRaw): Case[] => {
    const what = `${method}${includeRaw ? ' with includeRaw' : ''}`;
    const parsed = (answer: unknown) => (includeRaw ? (answer as { parsed: unknown }).parsed : answer);
    return [
      {
        name: `a chain with ${what}`,
        app: on =>
          withModel(answering, async model =>
            parsed(
              await prompt
                .pipe(model.withStructuredOutput(City, { method, includeRaw } as never) as never)
                .invoke(question, on.config),
            ),
          ),
        sees: rome,
        transcript: said,
        because,
        metadata: made(finish),
      },
      {
        name: `a model with ${what}`,
        app: on =>
          withModel(answering, async model =>
            parsed(
              await model.withStructuredOutput(City, { method, includeRaw } as never).invoke('Weather?', on.config),
            ),
          ),
        sees: rome,
        transcript: said,
        because,
        metadata: made(finish),
      },
    ];
  });
});

type Format = (schema: typeof City) => unknown;

const formats: [name: string, format: Format, finish: string][] = [
  ['toolStrategy', schema => toolStrategy(schema), 'tool_calls'],
  ['providerStrategy', schema => providerStrategy(schema), 'stop'],
  ['a plain schema', schema => schema, 'stop'],
];

const agents: Case[] = formats.map(
  ([name, format, finish]): Case => ({
    name: `an agent with ${name}`,
    on: '1.x',
    app: on => agentWith(on, format),
    sees: rome,
    transcript: said,
    because,
    metadata: made(finish),
  }),
);

function agentWith(on: Situation, format: Format): Promise<unknown> {
  return withModel(answering, async model => {
    const agent = createAgent({ model, tools: [], responseFormat: format(City) as never });
    return ((await agent.invoke(ask('Weather?'), on.config)) as { structuredResponse: unknown }).structuredResponse;
  });
}

runCases('a structured answer of a chain', chains);
runCases('a structured answer of an agent', agents);
