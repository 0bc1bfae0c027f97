import { AIMessage, type BaseMessage, HumanMessage, RemoveMessage, ToolMessage } from '@langchain/core/messages';
import { RunnableLambda } from '@langchain/core/runnables';
import { tool } from '@langchain/core/tools';
import {
  Annotation,
  Command,
  END,
  MemorySaver,
  MessagesAnnotation,
  Send,
  START,
  StateGraph,
} from '@langchain/langgraph';
import { createAgent, createMiddleware } from 'langchain';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { turns } from '../support/turns.js';
import { drain, gate, handlerOn, isOldCore, type On, type Reply, ScriptedModel } from './support.js';

const hi = { messages: [new HumanMessage('Weather?')] };
const model = (...replies: (Reply | string)[]) => new ScriptedModel(replies);
const calling = (name: string, text = '', args = {}): Reply => ({ text, toolCalls: [{ name, args }] });
const weather = tool(async () => 'sunny', { name: 'weather', description: 'w', schema: z.object({}) });
const agent = (...replies: (Reply | string)[]) => createAgent({ model: model(...replies), tools: [weather] });

type State = typeof MessagesAnnotation.State;
type Node = (state: State) => object | Promise<object>;

const saying =
  (from: ScriptedModel, name?: string): Node =>
  async ({ messages }) => {
    const message = await from.invoke(messages);
    if (name !== undefined) message.name = name;
    return { messages: [message] };
  };
const canned =
  (text: string): Node =>
  () => ({ messages: [new AIMessage(text)] });

/** A graph of messages: nodes one after the other, a list of them side by side. */
function graph(...steps: (Record<string, Node> | [string, Node])[]) {
  const built = new StateGraph(MessagesAnnotation) as StateGraph<typeof MessagesAnnotation.spec, never, never, string>;
  let before: string[] = [START];
  for (const step of steps) {
    const nodes = Array.isArray(step) ? [step] : Object.entries(step);
    for (const [name, node] of nodes) {
      built.addNode(name, node as never);
      for (const from of before) built.addEdge(from as never, name as never);
    }
    before = nodes.map(([name]) => name);
  }
  for (const from of before) built.addEdge(from as never, END);
  return built;
}

const thread = { configurable: { thread_id: 't' }, metadata: { conversation_id: 'chat' } };

type Row = [name: string, run: (on: On) => Promise<unknown>, answer: string[]];

const joined: Row[] = [
  [
    'an answer, then a canned disclaimer',
    ({ config }) =>
      graph(['say', saying(model('It is sunny.'))], ['warn', canned('No guarantee for that.')])
        .compile()
        .invoke(hi, config),
    ['It is sunny.\n\nNo guarantee for that.'],
  ],
  [
    'the same, streamed',
    ({ config }) =>
      drain(
        graph(['say', saying(model('It is sunny.'))], ['warn', canned('No guarantee for that.')])
          .compile()
          .stream(hi, { ...config, streamMode: 'messages' }),
      ),
    ['It is sunny.\n\nNo guarantee for that.'],
  ],
  [
    'an answer and a disclaimer that one node gives',
    ({ config }) =>
      graph([
        'say',
        async ({ messages }) => ({
          messages: [await model('It is sunny.').invoke(messages), new AIMessage('No guarantee for that.')],
        }),
      ])
        .compile()
        .invoke(hi, config),
    ['It is sunny.\n\nNo guarantee for that.'],
  ],
  [
    'a canned greeting, then an answer',
    ({ config }) =>
      graph(['greet', canned('Good morning!')], ['say', saying(model('It is sunny.'))])
        .compile()
        .invoke(hi, config),
    ['Good morning!\n\nIt is sunny.'],
  ],
  [
    'nodes side by side',
    ({ config }) =>
      graph({ air: saying(model('It is sunny.')), sea: saying(model('The water has 20 degrees.')) })
        .compile()
        .invoke(hi, config),
    ['It is sunny.\n\nThe water has 20 degrees.'],
  ],
  [
    'agents side by side, each with a name',
    ({ config }) =>
      graph({ air: saying(model('It is sunny.'), 'air'), sea: saying(model('The water has 20 degrees.'), 'sea') })
        .compile()
        .invoke(hi, config),
    ['It is sunny.\n\nThe water has 20 degrees.'],
  ],
  [
    'tasks of one node, one for each topic',
    ({ config }) => {
      const say = new ScriptedModel(messages => `About ${messages[0]?.text}.`);
      return new StateGraph(MessagesAnnotation)
        .addNode('say', async (state: { topic: string; delay?: Promise<unknown> }) => {
          // One after the other: each waits for the one before.
          await state.delay;
          return { messages: [await say.invoke(state.topic)] };
        })
        .addConditionalEdges(START, () => ['sun', 'rain'].map(topic => new Send('say', { topic, delay: turns() })), [
          'say',
        ])
        .addEdge('say', END)
        .compile()
        .invoke(hi, config);
    },
    ['About sun.\n\nAbout rain.'],
  ],
  [
    'agents of one step that don’t speak at the same time',
    ({ config }) => {
      const done = gate();
      return graph({
        air: async state => {
          const said = await saying(model('It is sunny.'), 'air')(state);
          done.resolve();
          return said;
        },
        sea: async state => {
          await done.promise;
          await turns();
          return saying(model('The water has 20 degrees.'), 'sea')(state);
        },
      })
        .compile()
        .invoke(hi, config);
    },
    ['It is sunny.\n\nThe water has 20 degrees.'],
  ],
  [
    'nodes side by side that say much the same',
    ({ config }) =>
      graph({ air: saying(model('It is sunny in Oslo.')), sea: saying(model('It is sunny in Rome.')) })
        .compile()
        .invoke(hi, config),
    ['It is sunny in Oslo.\n\nIt is sunny in Rome.'],
  ],
  [
    'an answer and two canned disclaimers that are much alike',
    ({ config }) =>
      graph(
        ['say', saying(model('It is sunny.'))],
        ['first', canned('No guarantee for today.')],
        ['second', canned('No guarantee for tomorrow.')],
      )
        .compile()
        .invoke(hi, config),
    ['It is sunny.\n\nNo guarantee for today.\n\nNo guarantee for tomorrow.'],
  ],
  [
    'nodes one after the other, each with its part of the answer',
    ({ config }) =>
      graph(['today', saying(model('It is sunny.'))], ['tomorrow', saying(model('Rain comes tomorrow.'))])
        .compile()
        .invoke(hi, config),
    ['It is sunny.\n\nRain comes tomorrow.'],
  ],
  [
    'an answer after a tool, then a canned disclaimer',
    ({ config }) =>
      graph(
        [
          'say',
          async state => ({
            messages: (await agent(calling('weather', 'Let me check.'), 'It is sunny.').invoke(state)).messages,
          }),
        ],
        ['warn', canned('No guarantee for that.')],
      )
        .compile()
        .invoke(hi, config),
    ['It is sunny.\n\nNo guarantee for that.'],
  ],
  [
    'in each turn of a thread',
    async ({ config }) => {
      const remembering = graph(
        ['say', saying(model('It is sunny.', 'It rains.'))],
        ['warn', canned('No guarantee for that.')],
      ).compile({ checkpointer: new MemorySaver() });
      await remembering.invoke(hi, { ...config, ...thread });
      await remembering.invoke({ messages: [new HumanMessage('And now?')] }, { ...config, ...thread });
    },
    ['It is sunny.\n\nNo guarantee for that.', 'It rains.\n\nNo guarantee for that.'],
  ],
  [
    'a list of messages as the output',
    ({ config }) =>
      RunnableLambda.from(() => [new AIMessage('It is sunny.'), new AIMessage('No guarantee for that.')]).invoke(
        'Weather?',
        config,
      ),
    ['It is sunny.\n\nNo guarantee for that.'],
  ],
];

const replaced: Row[] = [
  [
    'a supervisor’s workers, by tools',
    ({ config }) => {
      const handed = (to: string) => [
        new AIMessage({
          content: '',
          name: 'supervisor',
          tool_calls: [{ name: `transfer_to_${to}`, args: {}, id: to, type: 'tool_call' }],
        }),
        new ToolMessage({ content: `Successfully transferred to ${to}`, tool_call_id: to }),
      ];
      return graph(
        ['ask', () => ({ messages: handed('research') })],
        ['research', saying(model('Found: sun'), 'research')],
        ['supervisor', saying(model('It is sunny.'), 'supervisor')],
      )
        .compile()
        .invoke(hi, config);
    },
    ['It is sunny.'],
  ],
  [
    'a supervisor’s workers, by commands',
    ({ config }) => {
      const supervisor = model('research', 'write', 'done');
      const built = new StateGraph(MessagesAnnotation)
        .addNode(
          'supervisor',
          async ({ messages }) => {
            const { text } = await supervisor.invoke(messages);
            return new Command({ goto: text === 'done' ? END : text });
          },
          { ends: ['research', 'write', END] },
        )
        .addNode('research', saying(model('Found: sun')))
        .addNode('write', saying(model('It is sunny.')))
        .addEdge(START, 'supervisor')
        .addEdge('research', 'supervisor')
        .addEdge('write', 'supervisor')
        .compile();
      return built.invoke(hi, config);
    },
    ['It is sunny.'],
  ],
  [
    'a draft that the same node writes again',
    ({ config }) => {
      const writer = model('Sun, I think', 'It is sunny.');
      let rounds = 0;
      const built = new StateGraph(MessagesAnnotation)
        .addNode('write', saying(writer))
        .addEdge(START, 'write')
        .addConditionalEdges('write', () => (++rounds < 2 ? 'write' : END), ['write', END])
        .compile();
      return built.invoke(hi, config);
    },
    ['It is sunny.'],
  ],
  [
    'a draft that a judge sends back',
    ({ config }) =>
      graph(
        ['draft', saying(model('Sun, I think'))],
        [
          'judge',
          async ({ messages }) => {
            await model('too short').invoke(messages);
            return {};
          },
        ],
        ['revise', saying(model('It is sunny.'))],
      )
        .compile()
        .invoke(hi, config),
    ['It is sunny.'],
  ],
  [
    'notes that are taken side by side, before one node sums them up',
    ({ config }) =>
      graph({ first: saying(model('Sun in the south.')), second: saying(model('Clouds up north.')) }, [
        'reduce',
        saying(model('Fine weather, mostly.')),
      ])
        .compile()
        .invoke(hi, config),
    ['Fine weather, mostly.'],
  ],
  [
    'a plan of a model that is kept from the stream',
    ({ config }) =>
      graph(
        [
          'plan',
          async ({ messages }) => ({
            messages: [
              await model('First look, then say.')
                .withConfig({ tags: ['nostream'] })
                .invoke(messages),
            ],
          }),
        ],
        ['say', saying(model('It is sunny.'))],
      )
        .compile()
        .invoke(hi, config),
    ['It is sunny.'],
  ],
  [
    'a draft that a later node masks in a message of its own',
    ({ config }) =>
      graph(
        ['say', saying(model('Your number is 123-45 as before.'))],
        ['mask', ({ messages }) => ({ messages: [new AIMessage(messages.at(-1)?.text.replace(/\d/g, '*') ?? '')] })],
      )
        .compile()
        .invoke(hi, config),
    ['Your number is ***-** as before.'],
  ],
  [
    'a draft that a later node masks in its place',
    ({ config }) =>
      graph(
        ['say', saying(model('Your number is 123-45.'))],
        [
          'mask',
          ({ messages }) => ({
            messages: [new AIMessage({ content: 'Your number is ***.', id: messages.at(-1)?.id as string })],
          }),
        ],
      )
        .compile()
        .invoke(hi, config),
    ['Your number is ***.'],
  ],
  [
    'a draft that a later node removes',
    ({ config }) =>
      graph(
        ['say', saying(model('Sun, I think'))],
        [
          'revise',
          async ({ messages }) => ({
            messages: [
              new RemoveMessage({ id: messages.at(-1)?.id as string }),
              await model('It is sunny.').invoke(messages),
            ],
          }),
        ],
      )
        .compile()
        .invoke(hi, config),
    ['It is sunny.'],
  ],
  [
    'what is said on the way to a tool',
    ({ config }) =>
      agent(calling('weather', 'Let me check.'), calling('weather', 'Again.'), 'It is sunny.').invoke(hi, config),
    ['It is sunny.'],
  ],
  [
    'what was said to an earlier question',
    ({ config }) =>
      graph(['say', saying(model('It is sunny.'))])
        .compile()
        .invoke({ messages: [new HumanMessage('Hi'), new AIMessage('Hello'), new HumanMessage('Weather?')] }, config),
    ['It is sunny.'],
  ],
  [
    'a node that gives the same message once more',
    ({ config }) =>
      graph(['say', saying(model('It is sunny.'))], ['again', canned('It is sunny.')])
        .compile()
        .invoke(hi, config),
    ['It is sunny.'],
  ],
];

describe('several messages after one question', () => {
  it.each(joined)('are one answer: %s', check);
  it.each(replaced)('are not all of them an answer: %s', check);

  it.skipIf(isOldCore)('are one answer where a middleware adds one', async () => {
    await using on = await handlerOn();
    const warning = createMiddleware({
      name: 'warning',
      afterAgent: () => ({ messages: [new AIMessage('No guarantee for that.')] }),
    });
    const warned = createAgent({ model: model('It is sunny.'), tools: [weather], middleware: [warning] });
    await warned.invoke(hi, on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.\n\nNo guarantee for that.']);
  });

  it('say of the answer what is known of its model', async () => {
    await using on = await handlerOn();
    await graph(
      ['say', saying(model({ text: 'It is sunny.', usage: { input_tokens: 5, output_tokens: 2 } }))],
      ['warn', canned('No guarantee for that.')],
    )
      .compile()
      .invoke(hi, on.config);
    await on.transcript();
    expect(on.synap.stored[1]?.metadata).toMatchObject({
      model: 'scripted-1',
      finish_reason: 'stop',
      output_tokens: 2,
    });
  });
});

describe('with assistantNodes', () => {
  const speaking = () =>
    graph(
      ['say', saying(model('It is sunny.'))],
      ['review', canned('Looks good to me.')],
      ['warn', canned('No guarantee for that.')],
    ).compile();

  it.each([
    [['say'], 'It is sunny.'],
    [['say', 'warn'], 'It is sunny.\n\nNo guarantee for that.'],
    [['warn'], 'No guarantee for that.'],
  ])('%j, messages of other nodes are no part of the answer', async (assistantNodes, answer) => {
    await using on = await handlerOn({ assistantNodes });
    await speaking().invoke({ messages: [new HumanMessage('Weather?')] }, on.config);
    await drain(speaking().stream({ messages: [new HumanMessage('Weather?')] }, on.config));
    expect(await on.transcript()).toEqual([
      'user: Weather?',
      `assistant: ${answer}`,
      'user: Weather?',
      `assistant: ${answer}`,
    ]);
  });

  it('an answer by a command counts for its node', async () => {
    await using on = await handlerOn({ assistantNodes: ['say'] });
    const reviewed = graph(
      ['say', saying(model('It is sunny.'))],
      ['review', () => new Command({ update: { messages: [new AIMessage('Looks good to me.')] } })],
    );
    await reviewed.compile().invoke(hi, on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
  });
});

it('a model that is kept from the stream may give the answer', async () => {
  await using on = await handlerOn();
  const quiet = model('It is sunny.').withConfig({ tags: ['nostream'] });
  await graph(['say', async ({ messages }) => ({ messages: [await quiet.invoke(messages)] })])
    .compile()
    .invoke(hi, on.config);
  expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
});

describe('a provider that gives all its messages one id', () => {
  it('puts each in the place of the one before, and each is recorded', async () => {
    await using on = await handlerOn();
    const replies = ['Hello.', 'It is sunny.', 'It is sunny.'].map(text => ({ text, id: 'chatcmpl-1' }));
    const remembering = graph(['say', saying(model(...replies))]).compile({ checkpointer: new MemorySaver() });
    for (const said of ['Hi', 'Weather?', 'And now?'])
      await remembering.invoke({ messages: [new HumanMessage(said)] }, { ...on.config, ...thread });
    expect(await on.transcript()).toEqual([
      'user: Hi',
      'assistant: Hello.',
      'user: Weather?',
      'assistant: It is sunny.',
      'user: And now?',
      'assistant: It is sunny.',
    ]);
    expect(on.notices).toEqual([]);
  });
});

it('a provider that gives one id puts an answer in the place of the call of its tool, and it is recorded', async () => {
  await using on = await handlerOn();
  const replies: Reply[] = [calling('weather', 'Let me check.'), { text: 'It is sunny.' }];
  await agent(...replies.map(reply => ({ ...reply, id: 'chatcmpl-1' }))).invoke(hi, on.config);
  expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
});

describe('a conversation under another name', () => {
  const reducer = (a: BaseMessage[], b: BaseMessage[]) => [...a, ...b];
  const list = () => Annotation<BaseMessage[]>({ reducer, default: () => [] });

  it.each(['chat', 'conversation', 'history'])('(%s) is recorded as under the usual one', async key => {
    await using on = await handlerOn({ inputKey: key });
    const built = new StateGraph(Annotation.Root({ [key]: list() }))
      .addNode('say', async (state: Record<string, BaseMessage[]>) => ({
        [key]: [await model('It is sunny.').invoke(state[key] ?? [])],
      }))
      .addNode('warn', () => ({ [key]: [new AIMessage('No guarantee for that.')] }))
      .addEdge(START, 'say')
      .addEdge('say', 'warn')
      .addEdge('warn', END)
      .compile();
    await built.invoke({ [key]: hi.messages } as never, on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.\n\nNo guarantee for that.']);
  });

  it('is told from a list of what agents say among themselves', async () => {
    await using on = await handlerOn({ inputKey: 'chat' });
    const built = new StateGraph(Annotation.Root({ notes: list(), chat: list() }))
      .addNode('think', async () => ({ notes: [await model('I see a sun.').invoke('Look')] }))
      .addNode('say', async ({ chat }) => ({ chat: [await model('It is sunny.').invoke(chat)] }))
      .addEdge(START, 'think')
      .addEdge('think', 'say')
      .addEdge('say', END)
      .compile();
    await built.invoke({ chat: hi.messages }, on.config);
    expect(await on.transcript()).toEqual(['user: Weather?', 'assistant: It is sunny.']);
  });
});

async function check(_: string, run: (on: On) => Promise<unknown>, answers: string[]) {
  await using on = await handlerOn();
  await run(on);
  const transcript = await on.transcript();
  expect(transcript.filter(line => line.startsWith('assistant'))).toEqual(
    answers.map(answer => `assistant: ${answer}`),
  );
  expect(transcript[0]).toBe('user: Weather?');
  expect(on.notices).toEqual([]);
}
