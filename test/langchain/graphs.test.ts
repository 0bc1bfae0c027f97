import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import {
  Annotation,
  Command,
  END,
  entrypoint,
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  Send,
  START,
  StateGraph,
} from '@langchain/langgraph';
import { createAgent } from 'langchain';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { graphOf, saying } from './graph-of.js';
import { drain, handlerOn, isOldCore, type On, type Reply, ScriptedModel } from './support.js';

const hi = { messages: [{ role: 'user', content: 'Weather?' }] };
const model = (...replies: (Reply | string)[]) => new ScriptedModel(replies);
const calling = (name: string, text = '', args = {}): Reply => ({ text, toolCalls: [{ name, args }] });

const weather = tool(async () => 'sunny', { name: 'weather', description: 'w', schema: z.object({}) });

const agent = (...replies: (Reply | string)[]) =>
  createAgent({
    model: replies.length > 0 ? model(...replies) : model(calling('weather', 'Let me check.'), 'It is sunny.'),
    tools: [weather],
  });

type Row = [name: string, run: (on: On) => Promise<unknown>, transcript: string[]];

const agentRows: Row[] = [
  ['invoke', ({ config }) => agent().invoke(hi, config), ['user: Weather?', 'assistant: It is sunny.']],
  ['stream', async ({ config }) => drain(agent().stream(hi, config)), ['user: Weather?', 'assistant: It is sunny.']],
  [
    'stream in messages mode',
    async ({ config }) => drain(agent().stream(hi, { ...config, streamMode: 'messages' })),
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'stream in updates and custom mode',
    async ({ config }) => drain(agent().stream(hi, { ...config, streamMode: ['updates', 'custom'] })),
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'streamEvents v2',
    ({ config }) => drain(agent().streamEvents(hi, { ...config, version: 'v2' })),
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'streamEvents v3',
    async ({ config }) => drain(await agent().streamEvents(hi, { ...config, version: 'v3' })),
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'with the whole history in the input, of which only the end is new',
    ({ config }) =>
      agent().invoke(
        {
          messages: [
            { role: 'user', content: 'Hi' },
            { role: 'assistant', content: 'Hello' },
            { role: 'user', content: 'Weather?' },
          ],
        },
        config,
      ),
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'with a checkpointer, which puts the old turns into the output',
    async ({ config }) => {
      const remembering = createAgent({
        model: model('Hello', calling('weather'), 'It is sunny.'),
        tools: [weather],
        checkpointer: new MemorySaver(),
      });
      const thread = { ...config, configurable: { thread_id: 't' }, metadata: { conversation_id: 'chat' } };
      await remembering.invoke({ messages: [new HumanMessage('Hi')] }, thread);
      await remembering.invoke({ messages: [new HumanMessage('Weather?')] }, thread);
    },
    ['user: Hi', 'assistant: Hello', 'user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'with a tool that asks a model of its own',
    ({ config }) => {
      const inner = model('Inner thoughts');
      const asking = tool(async () => (await inner.invoke('Think')).text, {
        name: 'think',
        description: 't',
        schema: z.object({}),
      });
      return createAgent({ model: model(calling('think'), 'Thought.'), tools: [asking] }).invoke(hi, config);
    },
    ['user: Weather?', 'assistant: Thought.'],
  ],
  [
    'with a tool that streams',
    ({ config }) => {
      const inner = model('Inner thoughts');
      const asking = tool(async () => (await drain(inner.stream('Think'))).map(chunk => chunk.text).join(''), {
        name: 'think',
        description: 't',
        schema: z.object({}),
      });
      return drain(
        createAgent({ model: model(calling('think'), 'Thought.'), tools: [asking] }).streamEvents(hi, {
          ...config,
          version: 'v2',
        }),
      );
    },
    ['user: Weather?', 'assistant: Thought.'],
  ],
  [
    'with an agent as a tool',
    ({ config }) => {
      const inner = agent(calling('weather', 'Looking.'), 'Sunny, says the worker.');
      const ask = tool(
        async () => (await inner.invoke({ messages: [new HumanMessage('Look')] })).messages.at(-1)?.text,
        {
          name: 'ask',
          description: 'a',
          schema: z.object({}),
        },
      );
      return createAgent({ model: model(calling('ask'), 'It is sunny.'), tools: [ask] }).invoke(hi, config);
    },
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'with several tools at once, and twice',
    ({ config }) =>
      agent(
        {
          toolCalls: [
            { name: 'weather', id: '1' },
            { name: 'weather', id: '2' },
          ],
        },
        calling('weather', 'Once more.'),
        'It is sunny.',
      ).invoke(hi, config),
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
];

const graphRows: Row[] = [
  [
    'a router and an answerer',
    ({ config }) => {
      const router = model('weather');
      const graph = new StateGraph(MessagesAnnotation)
        .addNode(
          'route',
          async state => {
            const { text } = await router.invoke(state.messages);
            return new Command({ goto: text });
          },
          { ends: ['weather'] },
        )
        .addNode('weather', saying(model('It is sunny.')))
        .addEdge(START, 'route')
        .addEdge('weather', END)
        .compile();
      return graph.invoke(hi, config);
    },
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'a router on an edge',
    ({ config }) => {
      const router = model('weather');
      const graph = new StateGraph(MessagesAnnotation)
        .addNode('weather', saying(model('It is sunny.')))
        .addConditionalEdges(START, async state => (await router.invoke(state.messages)).text, ['weather'])
        .addEdge('weather', END)
        .compile();
      return graph.invoke(hi, config);
    },
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'a router whose answer is written by no model',
    ({ config }) =>
      graphOf({
        classify: async ({ messages }) => {
          await model('greeting').invoke(messages);
          return { messages: [new AIMessage('Hello there!')] };
        },
      })
        .compile()
        .invoke(hi, config),
    ['user: Weather?', 'assistant: Hello there!'],
  ],
  [
    'a graph in a graph',
    ({ config }) => {
      const inner = graphOf({ say: saying(model('It is sunny.')) }).compile();
      return graphOf({ worker: inner as never })
        .compile()
        .invoke(hi, config);
    },
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'an agent in a chain',
    ({ config }) =>
      agent()
        .graph.pipe((state: { messages: BaseMessage[] }) => state.messages.at(-1)?.text ?? '')
        .invoke(hi as never, config),
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'a supervisor with two workers that report as humans',
    ({ config }) => {
      const decide = model('research', 'write', 'done');
      const worker = (name: string, from: ScriptedModel) => async (state: typeof MessagesAnnotation.State) => {
        const { text } = await from.invoke(state.messages);
        return new Command({ goto: 'supervisor', update: { messages: [new HumanMessage({ content: text, name })] } });
      };
      const graph = new StateGraph(MessagesAnnotation)
        .addNode(
          'supervisor',
          async state => {
            const { text } = await decide.invoke(state.messages);
            if (text !== 'done') return new Command({ goto: text });
            return new Command({
              goto: END,
              update: { messages: [await model('It is sunny.').invoke(state.messages)] },
            });
          },
          { ends: ['research', 'write', END] },
        )
        .addNode('research', worker('research', model('Found: sun')), { ends: ['supervisor'] })
        .addNode('write', worker('write', model('Draft: sunny')), { ends: ['supervisor'] })
        .addEdge(START, 'supervisor')
        .compile();
      return graph.invoke(hi, config);
    },
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'a supervisor with two agents for workers, who speak for themselves',
    ({ config }) => {
      const decide = model('research', 'write', 'done');
      const hand = (from: ReturnType<typeof agent>) => async (state: typeof MessagesAnnotation.State) => {
        const { messages } = await from.invoke({ messages: state.messages });
        return new Command({ goto: 'supervisor', update: { messages: messages.at(-1) } });
      };
      const graph = new StateGraph(MessagesAnnotation)
        .addNode(
          'supervisor',
          async state => {
            const { text } = await decide.invoke(state.messages);
            return new Command({ goto: text === 'done' ? END : text });
          },
          { ends: ['research', 'write', END] },
        )
        .addNode('research', hand(agent(calling('weather'), 'Found: sun')), { ends: ['supervisor'] })
        .addNode('write', hand(agent('It is sunny.')), { ends: ['supervisor'] })
        .addEdge(START, 'supervisor')
        .compile();
      return graph.invoke(hi, config);
    },
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'map and reduce',
    ({ config }) => {
      const State = Annotation.Root({
        question: Annotation<string>,
        topics: Annotation<string[]>,
        notes: Annotation<string[]>({ reducer: (a, b) => [...a, ...b], default: () => [] }),
        finding: Annotation<string>,
      });
      const note = new ScriptedModel(messages => `Note on ${messages[0]?.text}`);
      const graph = new StateGraph(State)
        .addNode('split', () => ({ topics: ['sun', 'rain'] }))
        .addNode('note', async (state: { topic: string }) => ({ notes: [(await note.invoke(state.topic)).text] }))
        .addNode('reduce', async ({ notes }) => ({
          finding: (await model('Sun, then rain.').invoke(notes.join())).text,
        }))
        .addEdge(START, 'split')
        .addConditionalEdges('split', ({ topics }) => topics.map(topic => new Send('note', { topic })), ['note'])
        .addEdge('note', 'reduce')
        .addEdge('reduce', END)
        .compile();
      return graph.invoke({ question: 'Weather?' }, config);
    },
    ['user: Weather?', 'assistant: Sun, then rain.'],
  ],
  [
    'a reflection loop, where the critic speaks as a human',
    ({ config }) =>
      graphOf({
        draft: saying(model('Sunny?')),
        reflect: async ({ messages }) => ({
          messages: [new HumanMessage((await model('Be sure.').invoke(messages)).text)],
        }),
        revise: saying(model('It is sunny.')),
      })
        .compile()
        .invoke(hi, config),
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'a checkpointed chat whose new answer is nowhere in its messages',
    async ({ config }) => {
      const graph = graphOf({ say: saying(model('Hello')) }).compile({ checkpointer: new MemorySaver() });
      const silent = graphOf({ say: () => ({ messages: [] }) }).compile({
        checkpointer: graph.checkpointer as MemorySaver,
      });
      const thread = { ...config, configurable: { thread_id: 't' }, metadata: { conversation_id: 'chat' } };
      await graph.invoke({ messages: [new HumanMessage('Hi')] }, thread);
      await silent.invoke({ messages: [new HumanMessage('Weather?')] }, thread);
    },
    ['user: Hi', 'assistant: Hello', 'user: Weather?'],
  ],
  [
    'the functional API',
    ({ config }) =>
      entrypoint('answer', async (question: string) => (await model('It is sunny.').invoke(question)).text).invoke(
        'Weather?',
        config,
      ),
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
  [
    'a step that is tagged as not streamed',
    ({ config }) =>
      graphOf({
        plan: async ({ messages }) => {
          await model('A secret plan')
            .withConfig({ tags: ['nostream'] })
            .invoke(messages);
          return {};
        },
        say: saying(model('It is sunny.')),
      })
        .compile()
        .invoke(hi, config),
    ['user: Weather?', 'assistant: It is sunny.'],
  ],
];

describe('an agent is recorded once a turn', () => {
  it.concurrent.each(agentRows.filter(([name]) => !(isOldCore && name === 'streamEvents v3')))('%s', check);
});

describe('a graph is recorded once a turn', () => {
  it.concurrent.each(graphRows)('%s', check);
});

async function check(_: string, run: (on: On) => Promise<unknown>, transcript: string[]) {
  await using on = await handlerOn();
  await run(on);
  expect(await on.transcript()).toEqual(transcript);
  expect(on.handler.openRuns).toBe(0);
  expect(on.notices).toEqual([]);
}

describe('a human in the loop', () => {
  const approving = () =>
    graphOf({
      plan: saying(model(calling('mail', 'Shall I?'))),
      approve: ({ messages }) => {
        const said = interrupt('ok?');
        return { messages: [new AIMessage(`Sent: ${said} (${messages.length})`)] };
      },
    }).compile({ checkpointer: new MemorySaver() });
  const thread = { configurable: { thread_id: 't' }, metadata: { conversation_id: 'chat' } };

  it('leaves the user’s message alone until the run is resumed and answers', async () => {
    await using on = await handlerOn();
    const graph = approving();
    await graph.invoke(hi, { ...on.config, ...thread });
    expect(await on.transcript()).toEqual(['user: Weather?']);
    await graph.invoke(new Command({ resume: 'yes' }), { ...on.config, ...thread });
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: Sent: yes (2)']);
    expect(on.notices).toEqual([]);
  });

  it('does not record an answer again when a finished run is resumed', async () => {
    await using on = await handlerOn();
    const graph = approving();
    await graph.invoke(hi, { ...on.config, ...thread });
    await graph.invoke(new Command({ resume: 'yes' }), { ...on.config, ...thread });
    await graph.invoke(new Command({ resume: 'yes' }), { ...on.config, ...thread });
    await graph.invoke(null, { ...on.config, ...thread });
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: Sent: yes (2)']);
  });

  it('records nothing of a router that ran before the interrupt', async () => {
    await using on = await handlerOn();
    const graph = graphOf({
      route: async ({ messages }) => {
        await model('mail').invoke(messages);
        return {};
      },
      approve: () => ({ messages: [new AIMessage(String(interrupt('ok?')))] }),
    }).compile({ checkpointer: new MemorySaver() });
    await graph.invoke(hi, { ...on.config, ...thread });
    expect(await on.transcript()).toEqual(['user: Weather?']);
    expect(on.notices).toEqual([]);
  });

  it('waits at a breakpoint before the tools', async () => {
    await using on = await handlerOn();
    const stopping = createAgent({
      model: model(calling('weather', 'Let me check.'), 'It is sunny.'),
      tools: [weather],
      checkpointer: new MemorySaver(),
    });
    const config = { ...on.config, ...thread };
    await stopping.graph.invoke(hi as never, { ...config, interruptBefore: ['tools'] } as never);
    expect(await on.transcript()).toEqual(['user: Weather?']);
    await stopping.graph.invoke(null, config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
  });
});

describe('nodes and tags', () => {
  const parallel = () =>
    new StateGraph(
      Annotation.Root({ question: Annotation<string>, joke: Annotation<string>, poem: Annotation<string> }),
    )
      .addNode('joker', async ({ question }) => ({ joke: (await model('Ha').invoke(question)).text }))
      .addNode('poet', async ({ question }) => ({ poem: (await model('Oh').invoke(question)).text }))
      .addEdge(START, 'joker')
      .addEdge(START, 'poet')
      .addEdge('joker', END)
      .addEdge('poet', END)
      .compile();

  it('guesses at nothing when two branches speak, and says once what would settle it', async () => {
    await using on = await handlerOn();
    await parallel().invoke({ question: 'Bears?' }, on.config);
    await parallel().invoke({ question: 'Cats?' }, on.config);
    expect(await on.transcript()).toEqual(['user: Bears?', 'user: Cats?']);
    expect(on.notices).toHaveLength(1);
    expect(on.notices[0]).toMatch(/outputKey.*selectOutput.*assistantNodes/);
    expect(on.notices[0]).not.toMatch(/Bears|Ha|Oh/);
  });

  it.each([
    ['assistantNodes', { assistantNodes: ['poet'] }],
    ['outputKey', { outputKey: 'poem' }],
    ['selectOutput', { selectOutput: (state: { poem: string }) => state.poem }],
  ])('is settled by %s', async (_, options) => {
    await using on = await handlerOn(options);
    await parallel().invoke({ question: 'Bears?' }, on.config);
    expect(await on.transcript()).toEqual(['user: Bears?', 'assistant: Oh']);
    expect(on.notices).toEqual([]);
  });

  it('takes the last word of the nodes that answer, not of their reviewer', async () => {
    await using on = await handlerOn({ assistantNodes: ['writer'] });
    await graphOf({ writer: saying(model('It is sunny.')), reviewer: saying(model('Looks good to me.')) })
      .compile()
      .invoke(hi, on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
  });

  it('takes the last of several attempts that the answering node made', async () => {
    await using on = await handlerOn({ assistantNodes: ['writer'] });
    const writer = model('Sunny?', 'It is sunny.');
    await new StateGraph(
      Annotation.Root({
        question: Annotation<string>,
        log: Annotation<string[]>({ reducer: (a, b) => [...a, ...b], default: () => [] }),
      }),
    )
      .addNode('writer', async ({ question }) => ({ log: [(await writer.invoke(question)).text] }))
      .addNode('critic', async ({ log }) => ({ log: [(await model('Hm.').invoke(log.join())).text] }))
      .addEdge(START, 'writer')
      .addEdge('writer', 'critic')
      .addConditionalEdges('critic', ({ log }) => (log.length < 4 ? 'writer' : END))
      .compile()
      .invoke({ question: 'Weather?' }, on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
  });

  it('leaves out what carries one of the app’s own tags, as part of a run or by itself', async () => {
    await using on = await handlerOn({ ignoreTags: ['internal'] });
    const titles = model('A title').withConfig({ tags: ['internal'] });
    await titles.invoke('Name this chat', on.config);
    await graphOf({
      title: async ({ messages }) => {
        await titles.invoke(messages);
        return {};
      },
      say: saying(model('It is sunny.')),
    })
      .compile()
      .invoke(hi, on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
  });

  it('makes no turn of a tool or a retriever that is called by itself', async () => {
    await using on = await handlerOn();
    const thinking = tool(async (_, config) => (await model('Thoughts').invoke('Think', config)).text, {
      name: 'think',
      description: 't',
      schema: z.object({}),
    });
    await thinking.invoke({}, on.config);
    expect(await on.transcript()).toEqual([]);
    expect(on.handler.openRuns).toBe(0);
  });
});
