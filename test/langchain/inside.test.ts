import { AsyncLocalStorage } from 'node:async_hooks';
import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import { type RunnableConfig, RunnableLambda } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import * as langgraph from '@langchain/langgraph';
import { ToolNode } from '@langchain/langgraph/prebuilt';
import * as web from '@langchain/langgraph/web';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { SynapCallbackHandler } from '../../src/langchain/index.js';
import { drain, handlerOn, type On, ScriptedModel } from './support.js';

// A handler that is given once more inside of a run that it records already.

type State = typeof langgraph.MessagesAnnotation.State;
type Config = { callbacks: unknown[] };

const input = { messages: [{ role: 'user', content: 'Why?' }] };
const inner = () => new ScriptedModel(['Inner']);
const answer = () => new ScriptedModel(['Answer']);

/** What is given to the model inside: the same handler, or another one of the same recorder. */
const handlers: [string, (on: On) => SynapCallbackHandler][] = [
  ['the same handler', on => on.handler],
  ['a second handler', on => new SynapCallbackHandler(on.recorder, { logger: false })],
];

/** How the model is given it: by itself, or beside the rest of the step's config. */
const ways: [string, (config: RunnableConfig | undefined, callbacks: Config['callbacks']) => object][] = [
  ['by itself', (_, callbacks) => ({ callbacks })],
  ['with the config of the step', (config, callbacks) => ({ ...config, callbacks })],
];

type Build = Pick<typeof langgraph, 'StateGraph' | 'MessagesAnnotation' | 'START' | 'END'>;

/** A graph that thinks, with a model of its own, and then answers. */
function graphOf({ StateGraph, MessagesAnnotation, START, END }: Build, options: (config?: RunnableConfig) => object) {
  return new StateGraph(MessagesAnnotation)
    .addNode('think', async (_: State, config?: RunnableConfig) => {
      await inner().invoke('Think about it', options(config));
      return {};
    })
    .addNode('say', async ({ messages }: State, config?: RunnableConfig) => ({
      messages: [await answer().invoke(messages, options(config))],
    }))
    .addEdge(START, 'think')
    .addEdge('think', 'say')
    .addEdge('say', END)
    .compile();
}

const said = ['user: Why?', 'assistant: Answer'];

describe.each(handlers)('%s, given again inside', (_, again) => {
  describe.each(ways)('%s,', (_, options) => {
    it.each([
      ['the node build', langgraph],
      ['the web build', web],
    ])('to models in the nodes of %s, is one turn', async (_, build) => {
      await using on = await handlerOn();
      const graph = graphOf(build as Build, config => options(config, [again(on)]));
      await graph.invoke(input, on.config);
      expect(await on.transcript()).toEqual(said);
    });

    it.each([
      ['stream', (on: On, graph: ReturnType<typeof graphOf>) => drain(graph.stream(input, on.config))],
      [
        'streamEvents',
        (on: On, graph: ReturnType<typeof graphOf>) =>
          drain(graph.streamEvents(input, { ...on.config, version: 'v2' })),
      ],
    ])('of a graph’s %s, is one turn', async (_, read) => {
      await using on = await handlerOn();
      await read(
        on,
        graphOf(langgraph, config => options(config, [again(on)])),
      );
      expect(await on.transcript()).toEqual(said);
    });

    it('to a model in a tool, is one turn', async () => {
      await using on = await handlerOn();
      const think = tool(async (_, config) => (await inner().invoke('Think', options(config, [again(on)]))).text, {
        name: 'think',
        description: 't',
        schema: z.object({}),
      });
      const from = new ScriptedModel([{ toolCalls: [{ name: 'think' }] }, 'Answer']);
      const graph = new langgraph.StateGraph(langgraph.MessagesAnnotation)
        .addNode('say', async ({ messages }) => ({ messages: [await from.invoke(messages)] }))
        .addNode('tools', new ToolNode([think]))
        .addEdge(langgraph.START, 'say')
        .addConditionalEdges(
          'say',
          ({ messages }) => ((messages.at(-1) as AIMessage).tool_calls?.length ? 'tools' : langgraph.END),
          ['tools', langgraph.END],
        )
        .addEdge('tools', 'say')
        .compile();
      await graph.invoke(input, on.config);
      expect(await on.transcript()).toEqual(said);
    });

    it('to a model in a task, is one turn', async () => {
      await using on = await handlerOn();
      const think = langgraph.task('think', async (text: string) => {
        await inner().invoke(text, options(undefined, [again(on)]));
        return text;
      });
      const flow = langgraph.entrypoint('flow', async (question: string, config) => {
        await think(question);
        return (await answer().invoke(question, options(config, [again(on)]))).text;
      });
      await flow.invoke('Why?', on.config);
      expect(await on.transcript()).toEqual(said);
    });

    it('to a graph in a node, is one turn', async () => {
      await using on = await handlerOn();
      const graph = graphOf(langgraph, config => options(config, [again(on)]));
      const outer = new langgraph.StateGraph(langgraph.MessagesAnnotation)
        .addNode('work', async ({ messages }: State, config) => ({
          messages: (await graph.invoke({ messages }, options(config, [again(on)]))).messages.slice(-1),
        }))
        .addEdge(langgraph.START, 'work')
        .addEdge('work', langgraph.END)
        .compile();
      await outer.invoke(input, on.config);
      expect(await on.transcript()).toEqual(said);
    });

    it('to a model that a handler in the background hears of, is one turn', async () => {
      await using on = await handlerOn();
      on.handler.awaitHandlers = false;
      const graph = graphOf(langgraph, config => {
        const handler = again(on);
        handler.awaitHandlers = false;
        return options(config, [handler]);
      });
      await graph.invoke(input, on.config);
      await expect.poll(() => on.handler.openRuns).toBe(0);
      expect(await on.transcript()).toEqual(said);
    });
  });

  it('where the async context is lost on the way, is one turn', async () => {
    await using on = await handlerOn();
    const outside = AsyncLocalStorage.snapshot();
    const graph = graphOf(langgraph, config => ({ ...config, callbacks: [again(on)] }));
    const detached = new langgraph.StateGraph(langgraph.MessagesAnnotation)
      .addNode('work', async ({ messages }: State, config) => ({
        messages: [await outside(() => answer().invoke(messages, { ...config, callbacks: [again(on)] }))],
      }))
      .addEdge(langgraph.START, 'work')
      .addEdge('work', langgraph.END)
      .compile();
    await detached.invoke(input, on.config);
    await graph.invoke(input, on.config);
    expect(await on.transcript()).toEqual([...said, ...said]);
  });

  it('to what a node leaves running when its graph has ended, is no turn', async () => {
    await using on = await handlerOn();
    const ended = Promise.withResolvers<void>();
    let title: Promise<unknown> | undefined;
    const graph = new langgraph.StateGraph(langgraph.MessagesAnnotation)
      .addNode('say', async ({ messages }: State, config) => {
        title = ended.promise.then(() => inner().invoke('Name it', { ...config, callbacks: [again(on)] }));
        return { messages: [await answer().invoke(messages)] };
      })
      .addEdge(langgraph.START, 'say')
      .addEdge('say', langgraph.END)
      .compile();
    await graph.invoke(input, on.config);
    ended.resolve();
    await title;
    expect(await on.transcript()).toEqual(said);
  });

  it('to a model of another conversation, is a turn of that one', async () => {
    await using on = await handlerOn();
    const graph = graphOf(langgraph, config => ({
      ...config,
      callbacks: [again(on)],
      metadata: { ...config?.metadata, conversation_id: 'notes' },
    }));
    await graph.invoke(input, on.config);
    const other = on.recorder.resolveConversationId({ conversationId: 'notes' });
    await on.recorder.flush();
    expect(on.synap.transcript(String(other))).toEqual([
      'user: Think about it',
      'assistant: Inner',
      'user: Why?',
      'assistant: Answer',
    ]);
  });
});

describe('a handler that is given inside a graph only', () => {
  it('records the model that it is given to', async () => {
    await using on = await handlerOn();
    const graph = new langgraph.StateGraph(langgraph.MessagesAnnotation)
      .addNode('route', async ({ messages }: State) => {
        await inner().invoke(messages);
        return {};
      })
      .addNode('say', async ({ messages }: State) => ({ messages: [await answer().invoke(messages, on.config)] }))
      .addEdge(langgraph.START, 'route')
      .addEdge('route', 'say')
      .addEdge('say', langgraph.END)
      .compile();
    await graph.invoke(input);
    expect(await on.transcript()).toEqual(said);
  });

  it('records a question once that two of its models are given', async () => {
    await using on = await handlerOn();
    const graph = graphOf(langgraph, () => on.config);
    const twice = new langgraph.StateGraph(langgraph.MessagesAnnotation)
      .addNode('say', async ({ messages }: State) => ({ messages: [await answer().invoke(messages, on.config)] }))
      .addNode('more', async ({ messages }: State) => ({
        messages: [await new ScriptedModel(['More']).invoke(messages.slice(0, 1), on.config)],
      }))
      .addEdge(langgraph.START, 'say')
      .addEdge('say', 'more')
      .addEdge('more', langgraph.END)
      .compile();
    await twice.invoke(input);
    expect(await on.transcript()).toEqual(['user: Why?', 'assistant: Answer', 'assistant: More']);
    expect(graph).toBeDefined();
  });

  it('records it for the recorder that it belongs to, whoever else records the graph', async () => {
    await using on = await handlerOn();
    await using other = await handlerOn();
    const graph = new langgraph.StateGraph(langgraph.MessagesAnnotation)
      .addNode('say', async ({ messages }: State) => ({ messages: [await answer().invoke(messages, other.config)] }))
      .addEdge(langgraph.START, 'say')
      .addEdge('say', langgraph.END)
      .compile();
    await graph.invoke(input, on.config);
    expect(await other.transcript()).toEqual(said);
  });
});

describe('a lambda inside a lambda', () => {
  it.each(handlers)('with %s given again, is one turn', async (_, again) => {
    await using on = await handlerOn();
    const outer = RunnableLambda.from(async (text: string) => {
      const messages: BaseMessage[] = [new AIMessage('…')];
      await inner().invoke(messages, { callbacks: [again(on)] });
      return `${text}!`;
    });
    await outer.invoke('Hi', on.config);
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hi!']);
  });
});
