// What holds for each provider package: whichever way it is called, the answer says which model it was, whose, how it ended
// and what it took, once; thinking is no part of it; and an end before the end changes none of the names.

import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { createAgent } from 'langchain';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { drain, handlerOn, type On } from '../../langchain/support.js';
import { itEndsAsItsReaderSaw, type Stoppable } from './endings.js';
import { type Answer, provider } from './wire.js';

export interface ProviderPackage extends Stoppable {
  readonly model: string;
  readonly provider: string;
  /** The model that answers, as far as the package says it. */
  readonly responseModel: {
    readonly invoked?: string;
    readonly streamed?: string;
    /** By the first piece of a stream. */
    readonly opening?: string;
    /** By the events of version 3. */
    readonly events?: string;
  };
  /** Why it stopped, on the wire and in the metadata. */
  readonly finish: {
    readonly whole: string;
    readonly tools: string;
    readonly length: string;
    /** Where the provider may filter a whole answer. */
    readonly filter?: string;
  };
  readonly tokens: Tokens | { readonly invoked: Tokens; readonly streamed: Tokens };
  readonly thinks?: boolean;
  /** Where the package can't read calls of tools out of a stream. */
  readonly streamsNoTools?: boolean;
  /** Where the model said is no longer known once tools are bound. */
  readonly modelWithTools?: string | undefined;
}

interface Tokens {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly total_tokens: number;
  readonly cached_input_tokens?: number;
  readonly reasoning_tokens?: number;
}

const weather = tool(async () => 'sunny', { name: 'weather', description: 'w', schema: z.object({}) });
const hi = { messages: [new HumanMessage('Hi')] };

const WAYS: Record<string, (model: BaseChatModel, on: On) => Promise<unknown>> = {
  invoked: (model, { config }) => model.invoke('Hi', config),
  streamed: (model, { config }) => drain(model.stream('Hi', config)),
  'in an agent, streamed as messages': (model, { config }) =>
    drain<unknown>(createAgent({ model, tools: [] }).stream(hi, { ...config, streamMode: 'messages' })),
  'in an agent with tools, streamed as messages': (model, { config }) =>
    drain<unknown>(createAgent({ model, tools: [weather] }).stream(hi, { ...config, streamMode: 'messages' })),
};

const invokedAgent = (model: BaseChatModel, { config }: On) =>
  createAgent({ model, tools: [weather] }).invoke(hi, config);

/** Asserts all of it for a package. */
export function itHoldsFor(name: string, held: ProviderPackage) {
  const tokensOf = (streamed: boolean): Tokens =>
    'invoked' in held.tokens ? held.tokens[streamed ? 'streamed' : 'invoked'] : held.tokens;
  const ways = Object.keys(WAYS).filter(way => !held.bindsNoTools || !way.includes('agent'));
  const modelIn = (way: string) =>
    way.includes('agent') && 'modelWithTools' in held ? held.modelWithTools : held.model;

  /** What is recorded of these answers. */
  async function recorded(answers: readonly Answer[], run: (model: BaseChatModel, on: On) => Promise<unknown>) {
    await using server = await provider(held.wire, answers);
    await using on = await handlerOn();
    const outcome = await run(held.make(server.url), on).catch((error: unknown) => error);
    await expect.poll(() => on.handler.openRuns).toBe(0);
    const transcript = await on.transcript();
    const said = on.synap.stored.filter(message => message.role === 'assistant');
    return { outcome, transcript, metadata: said.at(-1)?.metadata ?? {} };
  }

  const names = (way: string, responseModel: string | undefined) =>
    known({ model: modelIn(way), response_model: responseModel, provider: held.provider });

  describe(name, () => {
    it.each(ways)('%s, says what it was, once', async way => {
      const { transcript, metadata } = await recorded([{ text: ['Hel', 'lo', ' Ada'] }], WAYS[way] as never);
      expect(transcript).toEqual(['user: Hi', 'assistant: Hello Ada']);
      const streamed = way !== 'invoked';
      expect(facts(metadata)).toEqual({
        ...names(way, streamed ? held.responseModel.streamed : held.responseModel.invoked),
        ...tokensOf(streamed),
        finish_reason: held.finish.whole,
        status: 'complete',
      });
    });

    it.skipIf(held.bindsNoTools)('sums up what a tool took', async () => {
      const call = { name: 'weather', args: {}, id: 'call_1' };
      const { transcript, metadata } = await recorded(
        [{ text: ['Let me ', 'check.'], tool: call }, { text: ['Sun', 'ny.'] }],
        held.streamsNoTools ? invokedAgent : (WAYS['in an agent with tools, streamed as messages'] as never),
      );
      expect(transcript).toEqual(['user: Hi', 'assistant: Sunny.']);
      const one = tokensOf(!held.streamsNoTools);
      expect(metadata).toMatchObject({
        steps: 2,
        tool_calls: ['weather'],
        input_tokens: one.input_tokens * 2,
        output_tokens: one.output_tokens * 2,
        finish_reason: held.finish.whole,
      });
    });

    it.each(ways)('%s, says that it was cut', async way => {
      const { transcript, metadata } = await recorded(
        [{ text: ['Hel'], finish: held.finish.length }],
        WAYS[way] as never,
      );
      expect(transcript).toEqual(['user: Hi', 'assistant: Hel']);
      expect(metadata).toMatchObject({ finish_reason: held.finish.length, status: 'complete' });
    });

    it.skipIf(held.finish.filter === undefined).each(ways)('%s, says that it was filtered', async way => {
      const { filter = '' } = held.finish;
      const { transcript, metadata } = await recorded([{ text: ['Hel'], finish: filter }], WAYS[way] as never);
      expect(transcript).toEqual(['user: Hi', 'assistant: Hel']);
      expect(metadata).toMatchObject({ finish_reason: filter });
      const whole = await recorded([{ finish: filter }], WAYS[way] as never);
      if (whole.outcome instanceof Error) expect(whole.transcript).toEqual(['user: Hi']);
      else expect(whole.transcript).toEqual(['user: Hi', `assistant: [no answer: ${filter}]`]);
    });

    it.skipIf(!held.thinks).each(ways)('%s, leaves its thinking out', async way => {
      const { transcript } = await recorded([{ thinking: 'Hm, well.', text: ['Hello', ' Ada'] }], WAYS[way] as never);
      expect(transcript).toEqual(['user: Hi', 'assistant: Hello Ada']);
    });

    it.skipIf(held.hidesBreaks).each(ways.filter(way => way !== 'invoked'))(
      '%s, keeps its names when it breaks off',
      async way => {
        const { outcome, transcript, metadata } = await recorded(
          [{ text: ['Hel', 'lo'], breaks: true }],
          WAYS[way] as never,
        );
        expect(outcome).toBeInstanceOf(Error);
        expect(transcript).toEqual(['user: Hi', 'assistant (error): Hello']);
        expect(facts(metadata)).toEqual({ ...names(way, held.responseModel.opening), status: 'error' });
      },
    );

    it('keeps its names when nobody reads on', async () => {
      const { promise: wait, resolve } = Promise.withResolvers<void>();
      const { transcript, metadata } = await recorded([{ text: ['Hel', 'lo'], wait }], async (model, on) => {
        let text = '';
        for await (const chunk of await model.stream('Hi', on.config)) {
          text += chunk.text;
          if (text !== 'Hello') continue;
          on.handler.close();
          resolve();
        }
      });
      expect(transcript).toEqual(['user: Hi', 'assistant (abandoned): Hello']);
      expect(facts(metadata)).toEqual({ ...names('streamed', held.responseModel.opening), status: 'abandoned' });
    });

    it.skipIf(held.bindsNoTools)('in an agent, read as events of version 3, says what it was', async () => {
      const { transcript, metadata } = await recorded([{ text: ['Hel', 'lo'] }], async (model, on) =>
        drain<unknown>(createAgent({ model, tools: [] }).streamEvents(hi, { ...on.config, version: 'v3' } as never)),
      );
      expect(transcript).toEqual(['user: Hi', 'assistant: Hello']);
      const { model, response_model, provider, finish_reason } = metadata;
      expect({ model, response_model, provider, finish_reason }).toEqual({
        model: modelIn('agent'),
        response_model: held.responseModel.events,
        provider: held.provider,
        // They have LangChain's own word for it.
        finish_reason: 'stop',
      });
    });

    itEndsAsItsReaderSaw(held);
  });
}

const FACTS = [
  'model',
  'response_model',
  'provider',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cached_input_tokens',
  'reasoning_tokens',
  'finish_reason',
  'status',
];

function facts(metadata: Record<string, unknown>) {
  return Object.fromEntries(FACTS.flatMap(name => (name in metadata ? [[name, metadata[name]]] : [])));
}

function known(fields: Record<string, unknown>) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
