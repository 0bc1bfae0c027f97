// Runs a session as an app would, and notes what its reader gets.

import { type BaseMessage, HumanMessage, isBaseMessage } from '@langchain/core/messages';
import { Command, MemorySaver } from '@langchain/langgraph';
import { turns } from '../../support/turns.js';
import type { Situation } from '../cases/processes.js';
import { appOf, type Said, Stage } from './app.js';
import type { GraphPlan, Session, Step } from './plan.js';

/** What a person who watched one step would note. */
export interface Noted {
  readonly step: Step;
  /** What the user said. */
  readonly user: readonly string[];
  /** Whether they are the reply that a run waited for. */
  readonly resumes: boolean;
  /** What was said to the user and behind the scenes, in the order of time. */
  readonly said: readonly Said[];
  readonly end: 'whole' | 'waits' | 'error' | 'aborted' | 'abandoned';
  /** Whether the graph had come to its end, or to where it waits, although its reader had stopped. */
  readonly isFinished: boolean;
  /** The reader's chunks, as far as they are the same in each run. */
  readonly chunks: readonly unknown[];
  readonly thrown: string | undefined;
}

type App = ReturnType<typeof appOf>;
type Config = Record<string, unknown>;

/** @param start the first process; the situation of a run without a handler is the same for all of them */
export async function runSession({ plan, steps }: Session, start: Situation): Promise<Noted[]> {
  const stage = new Stage();
  const saver = new MemorySaver();
  const noted: Noted[] = [];
  let on: Situation = start;
  let handlers: Pick<Situation, 'config' | 'handler'> = start;
  let graph: App | undefined;
  for (const [index, step] of steps.entries()) {
    if (step.by === 'process' && index > 0) handlers = on = await on.process();
    else if (step.by === 'handler' && index > 0) handlers = on.another();
    const given = callbacksOf(plan, handlers, on);
    stage.inner = given.inner;
    stage.constructed = given.constructed;
    if (step.by !== 'same' || !graph) graph = appOf(plan, stage, saver);
    noted.push(
      await runStep(graph, plan, step, stage, { ...given.call, configurable: { thread_id: 'thread' } }, index),
    );
    await settled(handlers);
  }
  return noted;
}

/** LangChain tells some ends later than the reader; the next question of a person comes after that. */
async function settled({ handler }: Pick<Situation, 'handler'>): Promise<void> {
  for (let tries = 0; tries < 40 && handler && handler.openRuns > 0; tries++)
    await new Promise(resolve => setTimeout(resolve, 10));
}

function callbacksOf(plan: GraphPlan, { config }: Pick<Situation, 'config'>, on: Situation) {
  const call: Config = { ...config };
  if (plan.handler === 'two') call.callbacks = [...(config.callbacks ?? []), ...(on.another().config.callbacks ?? [])];
  const inner = plan.handler === 'inside' ? config : plan.handler === 'second' ? on.another().config : undefined;
  // A call with callbacks of its own has none of those around it; that is so without a handler, too.
  const given = inner && { callbacks: inner.callbacks ?? [] };
  return { call, inner: given, constructed: plan.handler === 'constructor' ? config : {} };
}

async function runStep(
  graph: App,
  plan: GraphPlan,
  step: Step,
  stage: Stage,
  config: Config,
  index: number,
): Promise<Noted> {
  const before = stage.journal.length;
  const { input, user, at, resumes = false } = await inputOf(graph, plan, step, config, index);
  stage.begin(step.end);
  const { chunks, thrown, stopped } = await read(graph, input, { ...config, ...at }, { plan, step, stage });
  const isFinished = await hasFinished(graph, config);
  const end = stopped ?? (thrown !== undefined ? 'error' : (await waits(graph, config)) ? 'waits' : 'whole');
  return { step, user, resumes, said: stage.journal.slice(before), end, isFinished, chunks, thrown };
}

/** What the step gives to the graph, and what the user said with it. */
async function inputOf(
  graph: App,
  plan: GraphPlan,
  step: Step,
  config: Config,
  index: number,
): Promise<{ input: unknown; user: string[]; at: Config; resumes?: boolean }> {
  const { words, hasId } = step;
  const message = (id?: string) => new HumanMessage({ content: words, ...(id !== undefined && { id }) });
  const asked = { input: { messages: [message(hasId ? `question-${index}` : undefined)] }, user: [words], at: {} };
  if (index === 0 || step.next === 'ask') return asked;
  if (step.next === 'edit') {
    // Behind a node that sends the run on by a Command, an edited state leads nowhere.
    const cannotEdit = plan.route === 'edge' || plan.wait === 'input';
    const edited = cannotEdit ? undefined : await lastQuestion(graph, config);
    if (!edited) return asked;
    const fork = await graph.updateState({ ...config, ...edited.config } as never, { messages: [message(edited.id)] });
    return { input: null, user: edited.texts.has(words) ? [] : [words], at: fork as Config };
  }
  if (!(await waits(graph, config))) return asked;
  if (plan.wait === 'approval') return { input: new Command({ resume: step.decision }), user: [], at: {} };
  if (plan.wait !== 'update') return { input: new Command({ resume: words }), user: [words], at: {}, resumes: true };
  if (!step.saysMore) return { input: null, user: [], at: {} };
  await graph.updateState(config as never, { messages: [message()] });
  return { input: null, user: [words], at: {} };
}

/** The first checkpoint of the last question, before any node was at work: there it can be edited and asked again. */
async function lastQuestion(graph: App, config: Config) {
  let found: { id: string; config: Config } | undefined;
  let isBehind = false;
  /** What was said under its id: the same words under the same id are one message. */
  const texts = new Set<string>();
  for await (const state of graph.getStateHistory(config as never)) {
    const last = (state.values.messages as BaseMessage[] | undefined)?.at(-1);
    const isQuestion = last?.getType() === 'human' && last.id !== undefined;
    if (found && (!isQuestion || last.id !== found.id)) isBehind = true;
    if (!isQuestion || state.next.includes('__start__' as never)) continue;
    if (!isBehind) found = { id: last.id as string, config: state.config as Config };
    if (last.id === found?.id) texts.add(last.text);
  }
  return found && { ...found, texts };
}

async function waits(graph: App, config: Config): Promise<boolean> {
  const { next, tasks } = await graph.getState(config as never, { subgraphs: true });
  return next.includes('more' as never) || tasks.some(task => task.interrupts.length > 0);
}

async function hasFinished(graph: App, config: Config): Promise<boolean> {
  return (await waits(graph, config)) || (await graph.getState(config as never)).next.length === 0;
}

interface Read {
  readonly chunks: unknown[];
  readonly thrown: string | undefined;
  readonly stopped: 'aborted' | 'abandoned' | undefined;
}

async function read(
  graph: App,
  input: unknown,
  config: Config,
  { plan, step, stage }: { plan: GraphPlan; step: Step; stage: Stage },
): Promise<Read> {
  const abort = new AbortController();
  const chunks: unknown[] = [];
  let stopped: Read['stopped'];
  const leave = Promise.withResolvers<'left'>();
  const stop = (how: 'abort' | 'break') => {
    stopped = how === 'abort' ? 'aborted' : 'abandoned';
    if (how === 'abort') abort.abort();
    else leave.resolve('left');
  };
  const { kind } = step.end;
  if (kind === 'abort' || kind === 'break')
    void stage.reached.promise
      .then(() => turns(20))
      .then(() => stop(kind === 'break' && canLeave(plan, step, stage) ? 'break' : 'abort'));
  try {
    const call = { ...config, signal: abort.signal };
    if (step.read === 'invoke') chunks.push(told(await graph.invoke(input as never, call)));
    else {
      const iterator = (await open(graph, input, call, step))[Symbol.asyncIterator]();
      for (;;) {
        const next = await Promise.race([iterator.next(), leave.promise]);
        if (next === 'left') {
          void iterator.return?.()?.catch(() => {});
          break;
        }
        if (next.done) break;
        if (!stopped) chunks.push(told(next.value));
        if (!step.end.kind.startsWith('slow') || !('chunks' in step.end) || chunks.length !== step.end.chunks) continue;
        await turns(30);
        stop(step.end.kind === 'slow abort' ? 'abort' : 'break');
        if (stopped === 'abandoned') {
          await iterator.return?.();
          break;
        }
      }
    }
    return { chunks, thrown: undefined, stopped };
  } catch (error) {
    return { chunks, thrown: error instanceof Error ? error.message : String(error), stopped };
  } finally {
    if (stopped) await turns(30);
  }
}

/** LangGraph hands out a stream with its first chunk: before that, there is nothing to leave. */
function canLeave({ say }: GraphPlan, { read, end }: Step, stage: Stage): boolean {
  // Nor does a graph in a node stream its messages by itself.
  if (read === 'messages' && say === 'agent') return false;
  // A model with callbacks of its own streams nothing to those around it.
  if (read === 'messages') return 'words' in end && end.words > 0 && stage.inner === undefined;
  return read === 'values' || read === 'events';
}

async function open(graph: App, input: unknown, call: Config, { read }: Step): Promise<AsyncIterable<unknown>> {
  if (read === 'events') return graph.streamEvents(input as never, { ...call, version: 'v2' } as never);
  return graph.stream(input as never, { ...call, streamMode: read } as never);
}

/** A chunk without what is made up anew in each run. */
function told(chunk: unknown): unknown {
  if (isBaseMessage(chunk)) return `${chunk.getType()}: ${chunk.text}`;
  if (Array.isArray(chunk)) return chunk.map(told);
  if (typeof chunk !== 'object' || chunk === null) return chunk;
  if ('event' in chunk && 'name' in chunk) return `${chunk.event} of ${chunk.name}`;
  if ('langgraph_node' in chunk) return chunk.langgraph_node;
  return Object.fromEntries(
    Object.entries(chunk).map(([key, value]) => [key, key === '__interrupt__' ? 'waits' : told(value)]),
  );
}
