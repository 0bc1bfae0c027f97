// What the handler says to the app's developer: which chain it is, what to set, once for each.

import { RunnableLambda, RunnableMap, RunnableSequence } from '@langchain/core/runnables';
import {
  Annotation,
  Command,
  END,
  entrypoint,
  interrupt,
  MemorySaver,
  START,
  StateGraph,
  task,
} from '@langchain/langgraph';
import { model, prompt } from './apps.js';
import { type Case, runCases } from './run-cases.js';

const question = { question: 'Why?' };

/** Two models side by side: which one answers is not told. */
const ambiguous = (name?: string) => {
  const map = RunnableMap.from({ left: prompt.pipe(model('Left.')), right: prompt.pipe(model('Right.')) });
  return name === undefined ? map : map.withConfig({ runName: name });
};

const notices: Case[] = [
  {
    name: 'a chain whose output leaves the answer open',
    app: async on => Object.keys(await ambiguous().invoke(question, on.config)),
    sees: ['left', 'right'],
    transcript: ['user: Why?'],
    because: 'nothing is guessed, and the notice names the chain and what settles it for a chain',
    notices: [/^(?!.*assistantNodes)(?=.*RunnableMap)(?=.*(outputKey|selectOutput)).*$/s],
  },
  {
    name: 'the same chain, twice',
    app: async on => {
      const chain = ambiguous('first');
      await chain.invoke(question, on.config);
      await chain.invoke(question, on.config);
    },
    transcript: ['user: Why?', 'user: Why?'],
    because: 'it is said once',
    notices: [/first/],
  },
  {
    name: 'two chains with names',
    app: async on => {
      await ambiguous('first').invoke(question, on.config);
      await ambiguous('second').invoke(question, on.config);
    },
    transcript: ['user: Why?', 'user: Why?'],
    because: 'it is said once for each chain',
    notices: [/first/, /second/],
  },
  {
    name: 'two chains without names, of different kinds',
    app: async on => {
      await ambiguous().invoke(question, on.config);
      const both = RunnableLambda.from(async ({ question }: { question: string }, config) => [
        await model('Left.').invoke(question, config),
        (await model('Right.').invoke(question, config)).text.length,
      ]);
      await RunnableSequence.from([both, (_: unknown) => ({ a: 'neither', b: 'nor' })]).invoke(question, on.config);
    },
    transcript: ['user: Why?', 'user: Why?'],
    because: 'it is said once for each chain, and two kinds are two chains',
    notices: [/RunnableMap/, /RunnableSequence/],
  },
  {
    name: 'a graph whose state leaves the answer open',
    app: async on => {
      const State = Annotation.Root({
        question: Annotation<string>,
        left: Annotation<string>,
        right: Annotation<string>,
      });
      const graph = new StateGraph(State)
        .addNode('one', async state => ({ left: (await model('Left.').invoke(state.question)).text }))
        .addNode('two', async state => ({ right: (await model('Right.').invoke(state.question)).text }))
        .addEdge(START, 'one')
        .addEdge('one', 'two')
        .addEdge('two', END)
        .compile();
      return graph.invoke(question, on.config);
    },
    sees: { question: 'Why?', left: 'Left.', right: 'Right.' },
    transcript: ['user: Why?'],
    because: 'of a graph, nodes may be named as well',
    notices: [/LangGraph.*(outputKey|selectOutput|assistantNodes)/s],
  },
  {
    name: 'a workflow that is resumed and gives an object',
    app: async on => {
      const write = task('write', async (topic: string) => (await model(`About ${topic}.`).invoke(topic)).text);
      const flow = entrypoint({ name: 'flow', checkpointer: new MemorySaver() }, async (topic: string) => {
        const essay = await write(topic);
        return { essay, isApproved: interrupt({ essay }) as boolean };
      });
      const thread = { ...on.config, configurable: { thread_id: 't' } };
      await flow.invoke('cats', thread);
      return flow.invoke(new Command({ resume: true }) as never, thread);
    },
    sees: { essay: 'About cats.', isApproved: true },
    transcript: ['user: cats', { maybe: 'assistant: About cats.' }],
    because: 'a run that ends without an answer that can be told never stays silent',
    notices: [/flow/],
  },
  {
    name: 'a chain that turns the answer into numbers',
    app: async on =>
      prompt
        .pipe(model('Because.'))
        .pipe((() => ({ score: 3, kind: 'b' })) as never)
        .invoke(question, on.config),
    sees: { score: 3, kind: 'b' },
    transcript: ['user: Why?', { maybe: 'assistant: {"score":3,"kind":"b"}' }],
    because: 'the model’s own text does not stand in for what a step has made of it',
  },
  {
    name: 'a chain that answers plainly',
    app: async on => (await prompt.pipe(model('Because.')).invoke(question, on.config)).text,
    sees: 'Because.',
    transcript: ['user: Why?', 'assistant: Because.'],
    because: 'there is nothing to say',
    notices: [],
  },
];

runCases('a notice', notices);
