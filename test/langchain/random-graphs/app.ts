// The app that a plan describes, and the journal of what its models and nodes have said.

import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate, MessagesPlaceholder } from '@langchain/core/prompts';
import { tool } from '@langchain/core/tools';
import {
  Annotation,
  type BaseCheckpointSaver,
  Command,
  END,
  interrupt,
  MessagesAnnotation,
  START,
  StateGraph,
} from '@langchain/langgraph';
import { createReactAgent, ToolNode } from '@langchain/langgraph/prebuilt';
import * as z from 'zod';
import { type Reply, ScriptedModel } from '../support.js';
import type { End, GraphPlan, Role } from './plan.js';

/** What was said, in the order of time: by a model, or by a node itself. */
export interface Said {
  readonly by: Role | 'node';
  /** All of it, or what came before the model stopped. */
  readonly text: string;
  readonly callsTools: boolean;
  readonly isWhole: boolean;
  /** What a tool is to ask the user. */
  readonly question?: string | undefined;
}

class Broken extends Error {
  override readonly name = 'Broken';
}

const State = Annotation.Root({
  ...MessagesAnnotation.spec,
  notes: Annotation<string[]>({ reducer: (a, b) => [...a, ...b], default: () => [] }),
});
type Values = typeof State.State;

/** What one run of a session writes down and is told, the same with a handler and without. */
export class Stage {
  readonly journal: Said[] = [];
  end: End = { kind: 'whole' };
  /** Resolves when a model has said so much and waits for good. */
  reached = Promise.withResolvers<void>();
  /** Given to the model of a node, beside its config. */
  inner: object | undefined;
  /** The callbacks of a model's constructor. */
  constructed: object = {};
  #calls = 0;
  #isSpent = false;

  begin(end: End): void {
    this.end = end;
    this.#isSpent = false;
    this.reached = Promise.withResolvers<void>();
  }

  /** Whether the end of this step concerns this model, and has not come yet. */
  takes(role: Role, ...when: string[]): boolean {
    const { end } = this;
    const concerned =
      (end.kind === 'abort' && end.role === role) ||
      (end.kind === 'break' && role === 'say') ||
      (end.kind === 'throw' && end.role === role && when.includes(end.when));
    if (!concerned || this.#isSpent || (end.kind !== 'throw' && !when.includes('during'))) return false;
    this.#isSpent = true;
    return true;
  }

  reply(role: Role, ids: GraphPlan['ids'], calls: Reply['toolCalls'] = [], text?: string): Reply {
    const number = ++this.#calls;
    const words = text ?? `${WORDS[role]} ${number}, as far as anybody can tell.`;
    const question = calls.find(({ args }) => args?.question)?.args?.question as string | undefined;
    const say = (spoken: string, isWhole: boolean) =>
      this.journal.push({ by: role, text: spoken, callsTools: isWhole && calls.length > 0, isWhole, question });
    const id = ids === 'own' ? { id: `message-${number}` } : ids === 'same' ? { id: 'chatcmpl-1' } : {};
    const { end } = this;
    if ('words' in end && this.takes(role, 'during')) {
      const begun = words.split(/(?<= )/).slice(0, end.words);
      say(begun.join(''), false);
      if (end.kind === 'throw') return { text: begun, error: new Broken(`The model of ${role} broke.`), ...id };
      return { text: begun, wait: this.#never(), ...id };
    }
    say(words, true);
    const toolCalls = calls.map((call, index) => ({ ...call, id: `call-${number}-${index}` }));
    return { text: words, toolCalls, ...id };
  }

  /** A promise that tells when somebody begins to wait for it, and keeps them waiting. */
  #never(): Promise<never> {
    const { reached } = this;
    // biome-ignore lint/suspicious/noThenProperty: being awaited is the sign.
    return { then: () => void setImmediate(reached.resolve) } as never;
  }
}

const WORDS: Record<Role, string> = {
  route: 'Route to answer',
  judge: 'Harmless, says judge',
  say: 'It is answer',
  raw: 'Secret of Ada is',
  think: 'Inner thought',
  summarise: 'Summary of chat',
};

/** Stars in place of letters. */
const masked = (text: string) => text.replace(/[a-z]/gi, '*');

class Masking extends StringOutputParser {
  override async *_transform(pieces: AsyncGenerator<string | BaseMessage>) {
    for await (const piece of super._transform(pieces)) yield masked(piece);
  }

  override async parse(text: string) {
    return masked(text);
  }
}

/** Compiles the graph of a plan. */
export function appOf(plan: GraphPlan, stage: Stage, checkpointer: BaseCheckpointSaver) {
  const modelOf = (role: Role, ids: GraphPlan['ids'] = 'own') =>
    new ScriptedModel(() => stage.reply(role, ids), stage.constructed);
  const around =
    (role: Role, node: (state: Values) => Promise<object>) =>
    async (state: Values): Promise<object> => {
      if (stage.takes(role, 'before')) throw new Broken(`The node of ${role} broke before.`);
      const update = await node(state);
      if (stage.takes(role, 'after')) throw new Broken(`The node of ${role} broke after.`);
      return update;
    };
  const silent = (role: Role) =>
    around(role, async ({ messages }) => {
      const { text } = await modelOf(role).invoke(messages, stage.inner);
      return { notes: [text] };
    });

  const graph = new StateGraph(State) as StateGraph<typeof State.spec, Values, never, string>;
  const line = { last: START as string };
  const add = (name: string, node: unknown, options?: object) => {
    graph.addNode(name, node as never, options as never);
    if (line.last !== '') graph.addEdge(line.last as never, name as never);
    line.last = name;
  };

  if (plan.judge) add('judge', silent('judge'));
  if (plan.route === 'node') {
    add('route', silent('route'));
    graph.addConditionalEdges('route' as never, () => 'say', ['say'] as never);
    line.last = '';
  } else if (plan.route === 'command') {
    const ask = silent('route');
    add('route', async (state: Values) => new Command({ goto: 'say', update: (await ask(state)) as never }), {
      ends: ['say'],
    });
    line.last = '';
  } else if (plan.route === 'edge') {
    const ask = silent('route');
    const pick = async (state: Values) => {
      await ask(state);
      return 'say';
    };
    graph.addConditionalEdges(line.last as never, pick as never, ['say'] as never);
    line.last = '';
  }
  addAnswer(plan, stage, { add, line, graph, around, modelOf });
  if (plan.wait === 'approval')
    add('approve', () => {
      interrupt({ kind: 'approval' });
      return {};
    });
  if (plan.wait === 'update')
    add(
      'more',
      around('say', async ({ messages }) => ({ messages: [await modelOf('say').invoke(messages, stage.inner)] })),
    );
  plan.after.forEach((what, index) => {
    const name = `${what}${index}`;
    if (what !== 'disclaimer') add(name, silent(what));
    else
      add(name, () => {
        const text = `No guarantee ${index}.`;
        stage.journal.push({ by: 'node', text, callsTools: false, isWhole: true });
        return { messages: [new AIMessage(text)] };
      });
  });
  if (plan.wait === 'input') {
    const entry = plan.judge ? 'judge' : plan.route === 'node' || plan.route === 'command' ? 'route' : 'say';
    add(
      'human',
      () => {
        const words = interrupt({ kind: 'input' }) as string;
        return new Command({ goto: entry, update: { messages: [new HumanMessage(words)] } });
      },
      { ends: [entry] },
    );
  } else graph.addEdge(line.last as never, END as never);
  return graph.compile({ checkpointer, ...(plan.wait === 'update' && { interruptBefore: ['more' as never] }) });
}

interface Parts {
  add(name: string, node: unknown, options?: object): void;
  /** The node that the next one stands behind. */
  readonly line: { last: string };
  graph: StateGraph<typeof State.spec, Values, never, string>;
  around(role: Role, node: (state: Values) => Promise<object>): (state: Values) => Promise<object>;
  modelOf(role: Role, ids?: GraphPlan['ids']): ScriptedModel;
}

function addAnswer(plan: GraphPlan, stage: Stage, { add, line, graph, around, modelOf }: Parts): void {
  if (plan.say === 'model')
    return add(
      'say',
      around('say', async ({ messages }) => ({
        messages: [await modelOf('say', plan.ids).invoke(messages, stage.inner)],
      })),
    );
  if (plan.say === 'canned')
    return add('say', () => {
      stage.journal.push({ by: 'node', text: 'Ask me later.', callsTools: false, isWhole: true });
      return { messages: [new AIMessage('Ask me later.')] };
    });
  if (plan.say === 'masked' || plan.say === 'masking chain')
    return add(
      'say',
      around('raw', async ({ messages }) => {
        const chain = ChatPromptTemplate.fromMessages([new MessagesPlaceholder('messages')])
          .pipe(modelOf('raw'))
          .pipe(new Masking());
        const text =
          plan.say === 'masked'
            ? masked((await modelOf('raw').invoke(messages, stage.inner)).text)
            : await chain.invoke({ messages }, stage.inner);
        stage.journal.push({ by: 'node', text, callsTools: false, isWhole: true });
        return { messages: [new AIMessage(text)] };
      }),
    );
  const tools = toolsOf(plan, stage, modelOf);
  const agent = new ScriptedModel(messages => {
    if (messages.at(-1)?.getType() === 'tool') return stage.reply('say', plan.ids);
    const call =
      plan.wait === 'ask' ? { name: 'ask_human', args: { question: `Which city do you mean?` } } : { name: 'look' };
    return stage.reply('say', plan.ids, [call], plan.preamble ? undefined : '');
  }, stage.constructed);
  if (plan.say === 'agent') return add('say', createReactAgent({ llm: agent, tools }));
  add(
    'say',
    around('say', async ({ messages }) => ({ messages: [await agent.invoke(messages, stage.inner)] })),
  );
  graph.addNode('tools', new ToolNode(tools) as never);
  graph.addEdge('tools' as never, 'say' as never);
  line.last = '';
  add('done', () => ({}));
  const next = ({ messages }: Values) =>
    (messages.at(-1) as AIMessage | undefined)?.tool_calls?.length ? 'tools' : 'done';
  graph.addConditionalEdges('say' as never, next as never, ['tools', 'done'] as never);
}

function toolsOf(plan: GraphPlan, stage: Stage, modelOf: Parts['modelOf']) {
  const look = tool(
    async () => {
      if (!plan.toolThinks) return 'Found.';
      return (await modelOf('think').invoke('Think', stage.inner)).text;
    },
    { name: 'look', description: 'l', schema: z.object({}) },
  );
  const askHuman = tool(async ({ question }: { question: string }) => interrupt(question) as string, {
    name: 'ask_human',
    description: 'a',
    schema: z.object({ question: z.string() }),
  });
  return [look, askHuman];
}
