import { AsyncLocalStorage } from 'node:async_hooks';
import { RunnableLambda, RunnableSequence } from '@langchain/core/runnables';
import { Annotation, END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/v4';
import { wrapAISDK, wrapModel } from '../../src/ai-sdk/index.js';
import { SynapCallbackHandler } from '../../src/langchain/index.js';
import { scopeOf } from '../../src/recorder/scope.js';
import { MAJORS, mockModel } from '../ai-sdk/majors.js';
import { drain, lineOf, ScriptedModel } from '../langchain/support.js';
import { recorderOn } from '../support/recorder.js';

/** A recorder with both adapters, and what it has recorded. */
async function both(ambient: object = { conversationId: 'chat' }) {
  const on = await recorderOn(undefined, ambient);
  const handler = () => new SynapCallbackHandler(on.recorder, { logger: false });
  return {
    ...on,
    handler,
    config: () => ({ callbacks: [handler()] }),
    async transcript() {
      await on.recorder.flush();
      return on.synap.stored.map(lineOf);
    },
    [Symbol.asyncDispose]: () => on[Symbol.asyncDispose](),
  };
}

type Both = Awaited<ReturnType<typeof both>>;

const State = Annotation.Root({ question: Annotation<string>, answer: Annotation<string> });

function graphOf(node: (question: string) => Promise<string>) {
  return new StateGraph(State)
    .addNode('reply', async ({ question }) => ({ answer: await node(question) }))
    .addEdge(START, 'reply')
    .addEdge('reply', END)
    .compile();
}

const answering = () =>
  new StateGraph(MessagesAnnotation)
    .addNode('reply', async ({ messages }) => ({
      messages: [await new ScriptedModel(['From the graph']).invoke(messages)],
    }))
    .addEdge(START, 'reply')
    .addEdge('reply', END)
    .compile();

describe.each(MAJORS.map(major => ({ major, name: major.name })))('with $name', ({ major }) => {
  const wrapped = ({ recorder }: Both, answer = 'Inner answer') => {
    const { model } = mockModel(major, [[answer]]);
    return { sdk: wrapAISDK(major.sdk, recorder, { userId: 'ada' }), model };
  };

  it.each([
    ['generateText', 'invoke'],
    ['streamText', 'invoke'],
    ['generateText', 'stream'],
    ['generateText', 'streamEvents'],
  ] as const)('a node that answers with a wrapped %s in a graph’s %s is one turn', async (fn, way) => {
    await using on = await both();
    const { sdk, model } = wrapped(on);
    const graph = graphOf(async question => {
      const prompt = `Answer: ${question}`;
      return fn === 'generateText'
        ? (await sdk.generateText({ model, prompt })).text
        : (await drain(sdk.streamText({ model, prompt }).textStream)).join('');
    });
    const input = { question: 'Why?' };
    if (way === 'invoke') await graph.invoke(input, on.config());
    else if (way === 'stream') await drain(graph.stream(input, on.config()));
    else await drain(graph.streamEvents(input, { ...on.config(), version: 'v2' }));
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Inner answer']);
  });

  it('a node that answers with a wrapped model is one turn', async () => {
    await using on = await both();
    const model = wrapModel(mockModel(major, [['Inner answer']]).model as object, on.recorder) as never;
    const graph = graphOf(async prompt => (await major.sdk.generateText({ model, prompt })).text);
    await graph.invoke({ question: 'Why?' }, on.config());
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Inner answer']);
  });

  it('a step of a sequence that calls a wrapped function is one turn', async () => {
    await using on = await both();
    const { sdk, model } = wrapped(on);
    const chain = RunnableSequence.from([
      RunnableLambda.from((question: string) => `Please: ${question}`),
      RunnableLambda.from(async (prompt: string) => (await sdk.generateText({ model, prompt })).text),
    ]);
    await chain.invoke('Why?', on.config());
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Inner answer']);
  });

  it.each(['generateText', 'streamText'] as const)('a wrapped %s whose tool runs a graph is one turn', async fn => {
    await using on = await both();
    const { model } = mockModel(major, [[{ tool: 'ask' }], ['Outer answer']]);
    const sdk = wrapAISDK(major.sdk, on.recorder);
    const ask = {
      inputSchema: z.object({}),
      execute: async () => {
        const messages = [{ role: 'user', content: 'inner' }];
        await answering().invoke({ messages }, on.config());
        await RunnableLambda.from(async (text: string) => `${text}!`).invoke('inner chain', on.config());
        return 'ok';
      },
    };
    const options = { model, prompt: 'Go', tools: { ask }, stopWhen: major.steps(3) } as never;
    if (fn === 'generateText') await sdk.generateText(options);
    else await drain(sdk.streamText(options).textStream);
    expect(await on.transcript()).toEqual(['user: Go', 'assistant: Outer answer']);
  });

  it('a call inside a node that names another conversation is a turn of its own', async () => {
    await using on = await both();
    const { sdk, model } = wrapped(on);
    const graph = graphOf(async () => {
      const providerOptions = { synap: { conversationId: 'own' } };
      return (await sdk.generateText({ model, prompt: 'Inner question', providerOptions })).text;
    });
    await graph.invoke({ question: 'Why?' }, on.config());
    expect((await on.transcript()).toSorted()).toEqual([
      'assistant: Inner answer',
      'assistant: Inner answer',
      'user: Inner question',
      'user: Why?',
    ]);
  });

  it('a chain inside a tool that names another user is a turn of its own', async () => {
    await using on = await both();
    const { model } = mockModel(major, [[{ tool: 'ask' }], ['Outer answer']]);
    const sdk = wrapAISDK(major.sdk, on.recorder);
    const ask = {
      inputSchema: z.object({}),
      execute: () =>
        RunnableLambda.from(async (text: string) => `${text}!`).invoke('Hi', {
          ...on.config(),
          metadata: { user_id: 'bob' },
        }),
    };
    await sdk.generateText({ model, prompt: 'Go', tools: { ask }, stopWhen: major.steps(3) } as never);
    await on.recorder.flush();
    const lines = on.synap.stored.map(message => `${message.user_id} ${lineOf(message)}`);
    expect(lines).toEqual(['ada user: Go', 'bob user: Hi', 'bob assistant: Hi!', 'ada assistant: Outer answer']);
  });

  it('a chain that is started when the wrapped call has ended is a turn of its own', async () => {
    await using on = await both();
    const { model } = mockModel(major, [['Outer answer']]);
    const sdk = wrapAISDK(major.sdk, on.recorder);
    const onFinish = async () =>
      void (await RunnableLambda.from(async (text: string) => `${text}!`).invoke('Next', on.config()));
    await drain(sdk.streamText({ model, prompt: 'Go', onFinish }).textStream);
    expect(await on.transcript()).toEqual(['user: Go', 'assistant: Outer answer', 'user: Next', 'assistant: Next!']);
  });
});

describe('a run of LangChain’s', () => {
  const echo = (text = '!') => RunnableLambda.from(async (input: string) => `${input}${text}`);

  it('with a second handler of the recorder inside another run belongs to that', async () => {
    await using on = await both();
    const inner = echo(' inside');
    const chain = RunnableLambda.from(async (input: string) => inner.invoke(`inner ${input}`, on.config()));
    await chain.invoke('Hi', on.config());
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: inner Hi inside']);
  });

  it('with the same handler given again in a node belongs to the graph', async () => {
    await using on = await both();
    const config = on.config();
    const graph = graphOf(async question =>
      String((await new ScriptedModel(['Inner answer']).invoke(`Answer: ${question}`, config)).content),
    );
    await graph.invoke({ question: 'Why?' }, config);
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Inner answer']);
  });

  it('with two handlers of one recorder is recorded once', async () => {
    await using on = await both();
    await echo().invoke('Hi', { callbacks: [on.handler(), on.handler()] });
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hi!']);
  });

  it('inside a run, for another recorder, is a turn of that one', async () => {
    await using on = await both();
    await using other = await both();
    const chain = RunnableLambda.from(async (input: string) =>
      echo().invoke(`for the other: ${input}`, other.config()),
    );
    await chain.invoke('Hi', on.config());
    expect(await other.transcript()).toEqual(['user: for the other: Hi', 'assistant: for the other: Hi!']);
  });

  it('inside a run, for the same user as that, belongs to it even where its metadata repeats who it is', async () => {
    await using on = await both();
    const metadata = { user_id: 'ada', conversation_id: 'chat-1' };
    const chain = RunnableLambda.from(async (input: string) => echo().invoke(input, { ...on.config(), metadata }));
    await chain.invoke('Hi', { ...on.config(), metadata });
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hi!']);
  });

  it('inside a run, within an ambient identity of somebody else, is a turn of theirs', async () => {
    await using on = await both();
    const chain = RunnableLambda.from(async (input: string) =>
      on.recorder.withIdentity({ userId: 'bob' }, () => echo().invoke(`bob: ${input}`, on.config())),
    );
    await chain.invoke('Hi', on.config());
    await on.recorder.flush();
    expect(on.synap.stored.map(({ user_id }) => user_id).toSorted()).toEqual(['ada', 'ada', 'bob', 'bob']);
  });

  it('that starts when the run around it has ended is a turn of its own', async () => {
    await using on = await both();
    const ended = Promise.withResolvers<void>();
    let later: Promise<unknown> | undefined;
    const chain = RunnableLambda.from(async (input: string) => {
      later = ended.promise.then(() => echo().invoke('Later', on.config()));
      return `${input}!`;
    });
    await chain.invoke('Hi', on.config());
    ended.resolve();
    await later;
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hi!', 'user: Later', 'assistant: Later!']);
  });

  it('reported by hand, twice in one turn of the event loop, is two turns', async () => {
    await using on = await both();
    const handler = on.handler();
    handler.handleChainStart({}, { input: 'one' }, 'run-1');
    handler.handleChainStart({}, { input: 'two' }, 'run-2');
    handler.handleChainEnd({ output: 'One' }, 'run-1');
    handler.handleChainEnd({ output: 'Two' }, 'run-2');
    expect(await on.transcript()).toEqual(['user: one', 'user: two', 'assistant: One', 'assistant: Two']);
  });
});

describe('without recording', () => {
  it('a chain, and a model inside of it, are no turns, and the next one is', async () => {
    await using on = await both();
    const echo = RunnableLambda.from(async (input: string) => `${input}!`);
    const title = RunnableLambda.from(async (input: string) => {
      await new ScriptedModel(['A Title']).invoke(input);
      return echo.invoke(input, on.config());
    });
    await on.recorder.withoutRecording(() => title.invoke('A title', on.config()));
    await echo.invoke('Hi', on.config());
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hi!']);
    expect(on.losses).toEqual([]);
  });
});

describe('the scope of a run', () => {
  const lambda = RunnableLambda.from(async (input: string) => input);
  const ways: [string, (on: Both) => Promise<unknown>][] = [
    ['invoke', on => lambda.invoke('Hi', on.config())],
    ['batch', on => lambda.batch(['Hi', 'Ho'], on.config())],
    ['a sequence’s invoke', on => lambda.pipe(lambda).invoke('Hi', on.config())],
    ['a sequence’s batch', on => lambda.pipe(lambda).batch(['Hi', 'Ho'], on.config())],
    ['a sequence’s stream', async on => drain(await lambda.pipe(lambda).stream('Hi', on.config()))],
    ['a lambda’s stream', async on => drain(await lambda.stream('Hi', on.config()))],
    ['streamEvents', on => drain(lambda.pipe(lambda).streamEvents('Hi', { ...on.config(), version: 'v2' }))],
    ['a model’s invoke', on => new ScriptedModel(['Ho']).invoke('Hi', on.config())],
    ['a model’s stream', async on => drain(await new ScriptedModel(['Ho']).stream('Hi', on.config()))],
    ['a graph’s invoke', on => graphOf(async text => text).invoke({ question: 'Hi' }, on.config())],
    ['a graph’s stream', async on => drain(await graphOf(async text => text).stream({ question: 'Hi' }, on.config()))],
  ];

  it.each(ways)('reaches nothing of the caller’s during and after %s', async (_, run) => {
    await using on = await both();
    const running = run(on);
    expect(scopeOf(on.recorder)).toBeUndefined();
    await running;
    expect(scopeOf(on.recorder)).toBeUndefined();
  });

  it('reaches nothing of the reader’s between the chunks of a stream', async () => {
    await using on = await both();
    for await (const _ of await lambda.pipe(lambda).stream('Hi', on.config()))
      expect(scopeOf(on.recorder)).toBeUndefined();
    for await (const _ of await graphOf(async text => text).stream({ question: 'Hi' }, on.config()))
      expect(scopeOf(on.recorder)).toBeUndefined();
  });

  it('keeps runs one after the other in one function apart', async () => {
    await using on = await both();
    const ask = async () => {
      await lambda.invoke('one', on.config());
      await lambda.invoke('two', on.config());
    };
    await ask();
    expect(await on.transcript()).toEqual(['user: one', 'assistant: one', 'user: two', 'assistant: two']);
  });

  it('keeps runs side by side apart, and sibling requests', async () => {
    await using on = await both();
    const requests = new AsyncLocalStorage<string>();
    const request = (id: string) =>
      requests.run(id, async () => {
        await Promise.all([`${id}a`, `${id}b`].map(text => lambda.pipe(lambda).invoke(text, on.config())));
        expect(requests.getStore()).toBe(id);
      });
    await Promise.all(['1', '2', '3'].map(request));
    const said = ['1a', '1b', '2a', '2b', '3a', '3b'].flatMap(text => [`assistant: ${text}`, `user: ${text}`]);
    expect((await on.transcript()).toSorted()).toEqual(said.toSorted());
  });
});
