// What the user says to a graph that waits for it, however the words get in.

import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { Command, entrypoint, interrupt, MemorySaver, task } from '@langchain/langgraph';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { createAgent, humanInTheLoopMiddleware } from 'langchain';
import * as z from 'zod';
import { ask, calling, graphOf, human, model, type Node, saying, weather } from './apps.js';
import type { Situation } from './processes.js';
import { type Case, runCases } from './run-cases.js';

const thread = ({ config }: Pick<Situation, 'config'>, id = 't') => ({ ...config, configurable: { thread_id: id } });

/** A chat that waits for the user's next words at the end of each round. */
function chat(replies = ['Hello.', 'Sunny.', 'Bye.']) {
  return graphOf({
    say: saying(model(...replies)),
    human: () => {
      const words = interrupt('Anything else?') as string;
      return new Command({ goto: 'say', update: { messages: [new HumanMessage(words)] } });
    },
  });
}

const saved = () => ({ checkpointer: new MemorySaver() });
const words = (text: string) => new Command({ resume: text }) as never;

const askHuman = tool(async ({ question }: { question: string }) => interrupt(question) as string, {
  name: 'ask_human',
  description: 'a',
  schema: z.object({ question: z.string() }),
});

const entering: Case[] = [
  {
    name: 'a node that waits for the next words makes a message of them',
    app: async on => {
      const graph = chat().compile(saved());
      await graph.invoke(ask('Hi'), thread(on));
      await graph.invoke(words('Weather?'), thread(on));
      return (await graph.invoke(words('Thanks'), thread(on))).messages;
    },
    sees: ['human: Hi', 'ai: Hello.', 'human: Weather?', 'ai: Sunny.', 'human: Thanks', 'ai: Bye.'],
    transcript: [
      'user: Hi',
      'assistant: Hello.',
      'user: Weather?',
      'assistant: Sunny.',
      'user: Thanks',
      'assistant: Bye.',
    ],
    because: 'three questions, three answers',
  },
  {
    name: 'the same, each request in another process',
    app: async on => {
      const graph = chat().compile(saved());
      await graph.invoke(ask('Hi'), thread(on));
      await graph.invoke(words('Weather?'), thread(await on.process()));
      return (await graph.invoke(words('Thanks'), thread(await on.process()))).messages.length;
    },
    sees: 6,
    transcript: [
      'user: Hi',
      'assistant: Hello.',
      'user: Weather?',
      'assistant: Sunny.',
      'user: Thanks',
      'assistant: Bye.',
    ],
    because: 'the state that LangGraph keeps tells old from new in every process',
  },
  {
    name: 'the words are the same as those before',
    app: async on => {
      const graph = chat(['Once more?', 'Once more?', 'Enough.']).compile(saved());
      await graph.invoke(ask('Yes'), thread(on));
      await graph.invoke(words('Yes'), thread(on));
      return (await graph.invoke(words('Yes'), thread(on))).messages.length;
    },
    sees: 6,
    transcript: [
      'user: Yes',
      'assistant: Once more?',
      'user: Yes',
      'assistant: Once more?',
      'user: Yes',
      'assistant: Enough.',
    ],
    because: 'they were said three times',
  },
  {
    name: 'the words come in an object of the app’s own',
    app: async on => {
      const graph = graphOf({
        say: saying(model('Hello.', 'Sunny.')),
        human: () => {
          const { reply } = interrupt({ kind: 'input' }) as { reply: string };
          return new Command({ goto: 'say', update: { messages: [new HumanMessage(reply)] } });
        },
      }).compile(saved());
      await graph.invoke(ask('Hi'), thread(on));
      return (await graph.invoke(new Command({ resume: { reply: 'Weather?' } }) as never, thread(on))).messages.length;
    },
    sees: 4,
    transcript: ['user: Hi', 'assistant: Hello.', 'user: Weather?', 'assistant: Sunny.'],
    because: 'the message that the graph made of them is what the user said',
  },
  {
    name: 'the words are a message of their own, in streamed updates',
    app: async on => {
      const graph = chat().compile(saved());
      for await (const _ of await graph.stream(ask('Hi'), { ...thread(on), streamMode: 'updates' }));
      for await (const _ of await graph.stream(words('Weather?'), { ...thread(on), streamMode: 'messages' }));
    },
    transcript: ['user: Hi', 'assistant: Hello.', 'user: Weather?', 'assistant: Sunny.'],
    because: 'how it is read changes nothing',
  },
  {
    name: 'a command with an update is the first input',
    app: async on => {
      const graph = graphOf({ say: saying(model('Sunny.')) }).compile(saved());
      const update = { messages: [human('Weather?')] };
      return (await graph.invoke(new Command({ update, goto: 'say' }) as never, thread(on))).messages;
    },
    sees: ['human: Weather?', 'ai: Sunny.'],
    transcript: ['user: Weather?', 'assistant: Sunny.'],
    because: 'the update holds what the user said',
  },
  {
    name: 'a command resumes and updates',
    app: async on => {
      const graph = graphOf({
        wait: () => {
          interrupt({ kind: 'input' });
          return {};
        },
        say: saying(model('Sunny.')),
      }).compile(saved());
      await graph.invoke(ask('Hi'), thread(on));
      const command = new Command({ resume: true, update: { messages: [human('Weather?')] } });
      return (await graph.invoke(command as never, thread(on))).messages;
    },
    sees: ['human: Hi', 'human: Weather?', 'ai: Sunny.'],
    transcript: ['user: Hi', 'user: Weather?', 'assistant: Sunny.'],
    because: 'the update holds what the user said',
  },
  {
    name: 'the state is updated before an interrupted node, and the run goes on with nothing',
    app: async on => {
      const graph = graphOf({ say: saying(model('Hello.')), more: saying(model('Sunny.')) }).compile({
        ...saved(),
        interruptBefore: ['more' as never],
      });
      await graph.invoke(ask('Hi'), thread(on));
      await graph.updateState(thread(on), { messages: [human('Weather?')] });
      return (await graph.invoke(null, thread(on))).messages;
    },
    sees: ['human: Hi', 'ai: Hello.', 'human: Weather?', 'ai: Sunny.'],
    transcript: ['user: Hi', 'assistant: Hello.', 'user: Weather?', 'assistant: Sunny.'],
    because: 'what the state holds that no run has seen is what the user said',
  },
  {
    name: 'the state is updated in another process, and the run goes on there',
    app: async on => {
      const graph = graphOf({ say: saying(model('Hello.')), more: saying(model('Sunny.')) }).compile({
        ...saved(),
        interruptBefore: ['more' as never],
      });
      await graph.invoke(ask('Hi'), thread(on));
      const second = await on.process();
      await graph.updateState(thread(second), { messages: [human('Weather?')] });
      return (await graph.invoke(null, thread(second))).messages.length;
    },
    sees: 4,
    transcript: ['user: Hi', 'assistant: Hello.', 'user: Weather?', 'assistant: Sunny.'],
    because: 'the words that nobody has recorded so far are recorded, and those that were are not again',
  },
  {
    name: 'a fork edits the question and asks again',
    app: async on => {
      const graph = graphOf({ say: saying(model('Rainy.', 'Sunny.')) }).compile(saved());
      const { messages } = await graph.invoke(ask('Weather in Oslo?'), thread(on));
      const id = messages[0]?.id as string;
      let before = thread(on) as object;
      for await (const { next, config } of graph.getStateHistory(thread(on)))
        if (next.includes('say' as never)) before = { ...on.config, ...config };
      const fork = await graph.updateState(before, {
        messages: [new HumanMessage({ content: 'Weather in Rome?', id })],
      });
      return (await graph.invoke(null, { ...on.config, ...fork })).messages;
    },
    sees: ['human: Weather in Rome?', 'ai: Sunny.'],
    transcript: ['user: Weather in Oslo?', 'assistant: Rainy.', 'user: Weather in Rome?', 'assistant: Sunny.'],
    because: 'an edited question is asked anew',
  },
];

const asking: Case[] = [
  {
    name: 'a tool asks the user something',
    app: async on => {
      const agent = createReactAgent({
        llm: model(calling('ask_human', '', { question: 'Which city?' }), 'Sunny in Rome.'),
        tools: [askHuman],
        ...saved(),
      });
      await agent.invoke(ask('Weather?'), thread(on));
      return (await agent.invoke(words('Rome'), thread(on))).messages.at(-1)?.text;
    },
    sees: 'Sunny in Rome.',
    transcript: ['user: Weather?', 'assistant: Which city?', 'user: Rome', 'assistant: Sunny in Rome.'],
    because: 'the question was on the screen, and the reply is the user’s',
  },
  {
    name: 'a tool asks the user something, and another process gets the reply',
    app: async on => {
      const agent = createReactAgent({
        llm: model(calling('ask_human', '', { question: 'Which city?' }), 'Sunny in Rome.'),
        tools: [askHuman],
        ...saved(),
      });
      await agent.invoke(ask('Weather?'), thread(on));
      return (await agent.invoke(words('Rome'), thread(await on.process()))).messages.at(-1)?.text;
    },
    sees: 'Sunny in Rome.',
    transcript: ['user: Weather?', 'assistant: Which city?', 'user: Rome', 'assistant: Sunny in Rome.'],
    because: 'what is recorded does not depend on the process',
  },
  {
    name: 'a tool asks twice',
    app: async on => {
      const agent = createReactAgent({
        llm: model(
          calling('ask_human', '', { question: 'Which city?' }),
          { toolCalls: [{ name: 'ask_human', id: 'second', args: { question: 'Which day?' } }] },
          'Sunny.',
        ),
        tools: [askHuman],
        ...saved(),
      });
      await agent.invoke(ask('Weather?'), thread(on));
      await agent.invoke(words('Rome'), thread(on));
      return (await agent.invoke(words('Monday'), thread(on))).messages.at(-1)?.text;
    },
    sees: 'Sunny.',
    transcript: [
      'user: Weather?',
      'assistant: Which city?',
      'user: Rome',
      'assistant: Which day?',
      'user: Monday',
      'assistant: Sunny.',
    ],
    because: 'each question and each reply was said',
  },
];

const draft: Record<string, Node> = {
  draft: saying(model('A poem.')),
  approve: () => {
    interrupt({ kind: 'approval' });
    return {};
  },
};

const publish: Record<string, Node> = { publish: () => ({}) };

const again: Record<string, Node> = {
  approveAgain: () => {
    interrupt({ kind: 'approval' });
    return {};
  },
};

const approve = (decision: unknown) => new Command({ resume: decision }) as never;

const approving: Case[] = [
  ...[true, { decisions: [{ type: 'approve' }] }, 'approve'].map(
    (decision): Case => ({
      name: `an approval without words of the user’s: ${JSON.stringify(decision)}`,
      app: async on => {
        const graph = graphOf({ ...draft, ...publish }).compile(saved());
        await graph.invoke(ask('Write'), thread(on));
        return (await graph.invoke(approve(decision), thread(on))).messages;
      },
      sees: ['human: Write', 'ai: A poem.'],
      transcript: ['user: Write', 'assistant: A poem.'],
      because: 'it becomes no message of the graph’s, and the answer was recorded',
    }),
  ),
  {
    name: 'an approval, with a handler per request',
    app: async on => {
      const graph = graphOf({ ...draft, ...publish }).compile(saved());
      await graph.invoke(ask('Write'), thread(on));
      await graph.invoke(approve(true), thread(on.another()));
    },
    transcript: ['user: Write', 'assistant: A poem.'],
    because: 'the resume adds no message',
  },
  {
    name: 'an approval, in another process',
    app: async on => {
      const graph = graphOf({ ...draft, ...publish }).compile(saved());
      await graph.invoke(ask('Write'), thread(on));
      await graph.invoke(approve(true), thread(await on.process()));
    },
    transcript: ['user: Write', 'assistant: A poem.'],
    because: 'the resume adds no message',
  },
  {
    name: 'two approvals, each in another process',
    app: async on => {
      const graph = graphOf({ ...draft, ...again, ...publish }).compile(saved());
      await graph.invoke(ask('Write'), thread(on));
      await graph.invoke(approve(true), thread(await on.process()));
      await graph.invoke(approve(true), thread(await on.process()));
    },
    transcript: ['user: Write', 'assistant: A poem.'],
    because: 'neither adds a message',
  },
  {
    name: 'two approvals, with one handler',
    app: async on => {
      const graph = graphOf({ ...draft, ...again, ...publish }).compile(saved());
      await graph.invoke(ask('Write'), thread(on));
      await graph.invoke(approve(true), thread(on));
      await graph.invoke(approve(true), thread(on));
    },
    transcript: ['user: Write', 'assistant: A poem.'],
    because: 'neither adds a message',
  },
  {
    name: 'an approval after which a node says more',
    app: async on => {
      const graph = graphOf({
        ...draft,
        publish: () => ({ messages: [new AIMessage('It is published.')] }),
      }).compile(saved());
      await graph.invoke(ask('Write'), thread(on));
      return (await graph.invoke(approve(true), thread(await on.process()))).messages;
    },
    sees: ['human: Write', 'ai: A poem.', 'ai: It is published.'],
    transcript: ['user: Write', 'assistant: A poem.', 'assistant: It is published.'],
    because: 'what the second run adds is new, and nothing else',
  },
  {
    name: 'a replay from a late checkpoint, in another process',
    app: async on => {
      const graph = graphOf({ say: saying(model('A poem.')), log: () => ({}) }).compile(saved());
      await graph.invoke(ask('Write'), thread(on));
      const second = await on.process();
      let late: object | undefined;
      for await (const { next, config } of graph.getStateHistory(thread(on)))
        if (next.includes('log' as never)) late ??= { ...second.config, ...config };
      return (await graph.invoke(null, late as never)).messages;
    },
    sees: ['human: Write', 'ai: A poem.'],
    transcript: ['user: Write', 'assistant: A poem.'],
    because: 'nothing new was said',
  },
  {
    name: 'a replay from a late checkpoint, with a handler per request',
    app: async on => {
      const graph = graphOf({ say: saying(model('A poem.')), log: () => ({}) }).compile(saved());
      await graph.invoke(ask('Write'), thread(on));
      const second = on.another();
      let late: object | undefined;
      for await (const { next, config } of graph.getStateHistory(thread(on)))
        if (next.includes('log' as never)) late ??= { ...second.config, ...config };
      await graph.invoke(null, late as never);
    },
    transcript: ['user: Write', 'assistant: A poem.'],
    because: 'nothing new was said',
  },
  {
    name: 'a decision about a tool call, by the middleware',
    on: '1.x',
    app: async on => {
      const agent = createAgent({
        model: model(calling('weather', 'Let me check.'), 'It is sunny.'),
        tools: [weather],
        middleware: [humanInTheLoopMiddleware({ interruptOn: { weather: true } })],
        ...saved(),
      });
      await agent.invoke(ask('Weather?'), thread(on));
      return (await agent.invoke(approve({ decisions: [{ type: 'approve' }] }), thread(on))).messages.at(-1)?.text;
    },
    sees: 'It is sunny.',
    transcript: ['user: Weather?', 'assistant: It is sunny.'],
    because: 'a decision is no message, and the answer came after the tool',
  },
];

const functionalApi: Case[] = [
  {
    name: 'a workflow of the functional API is approved',
    app: async on => {
      const write = task('write', async (topic: string) => (await model(`About ${topic}.`).invoke(topic)).text);
      const flow = entrypoint({ name: 'flow', checkpointer: new MemorySaver() }, async (topic: string) => {
        const essay = await write(topic);
        const isApproved = interrupt({ essay }) as boolean;
        return { essay, isApproved };
      });
      await flow.invoke('cats', thread(on));
      return flow.invoke(approve(true), thread(on));
    },
    sees: { essay: 'About cats.', isApproved: true },
    transcript: ['user: cats', { maybe: 'assistant: About cats.' }],
    because: 'which of its values is the answer is not told, so that a notice says what to set',
    notices: [/flow/],
  },
];

runCases('the words of a resume', entering);
runCases('a tool that asks the user', asking);
runCases('a resume without words', approving);
runCases('a resume of the functional API', functionalApi);
