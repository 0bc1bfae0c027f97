import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { Annotation, END, START, StateGraph } from '@langchain/langgraph';
import { describe, expect, it } from 'vitest';
import { MAJORS, recording } from '../ai-sdk/majors.js';
import { drain, handlerOn, isOldCore, ScriptedModel } from '../langchain/support.js';
import { turns } from '../support/turns.js';

const named = (name: string, message: string) => Object.assign(new Error(message), { name });
const database = new Error('current transaction is aborted, commands ignored until end of transaction block');
const never = new Promise(() => {});

describe.each(MAJORS.map(major => ({ major, name: major.name })))('with $name', ({ major }) => {
  const quiet = { onError: () => {} };
  const broken = (error: Error) => recording(major, 'wrapAISDK', [['Half ', { breaks: error }]]);

  it('a stream that breaks by a provider’s timeout is an error, with its text', async () => {
    await using t = await broken(named('TimeoutError', 'took too long'));
    const result = t.sdk.streamText({ model: t.model, prompt: 'Hi', maxRetries: 0, ...quiet });
    await result.consumeStream(quiet);
    expect(await t.transcript()).toEqual(['user: Hi', 'assistant (error): Half ']);
    expect(t.synap.stored[1]?.metadata?.error).toBe('TimeoutError: took too long');
  });

  it('a stream that breaks by a database’s error that mentions an abort is an error', async () => {
    await using t = await broken(database);
    await t.sdk.streamText({ model: t.model, prompt: 'Hi', maxRetries: 0, ...quiet }).consumeStream(quiet);
    expect(await t.transcript()).toEqual(['user: Hi', 'assistant (error): Half ']);
  });

  it.each([
    ['the app’s own reason', new Error('user pressed stop'), 'Error: user pressed stop'],
    ['Next.js’s ResponseAborted', named('ResponseAborted', ''), undefined],
    ['no reason', undefined, undefined],
  ])('a stream whose signal is aborted with %s is aborted', async (_, reason, error) => {
    await using t = await recording(major, 'wrapAISDK', [['Half ', { hangs: true }]]);
    const stop = new AbortController();
    const { signal: abortSignal } = stop;
    const result = t.sdk.streamText({ model: t.model, prompt: 'Hi', abortSignal, maxRetries: 0, ...quiet });
    // Of a model that ignores the signal, ai 5 and 6 may never end the stream.
    for await (const _ of result.textStream) {
      stop.abort(reason);
      break;
    }
    expect(await t.transcript()).toEqual(['user: Hi', 'assistant (aborted): Half ']);
    expect(t.synap.stored[1]?.metadata?.error).toBe(error);
  });
});

describe('with LangChain', () => {
  const half = (reply: object) => new ScriptedModel([{ text: 'Half', ...reply }]);

  it('a model that is aborted with the app’s own reason is aborted', async () => {
    await using on = await handlerOn();
    const stop = new AbortController();
    const chain = ChatPromptTemplate.fromTemplate('{question}')
      .pipe(half({ wait: never }))
      .pipe(new StringOutputParser());
    const reading = drain(chain.stream({ question: 'Hi' }, { ...on.config, signal: stop.signal })).catch(() => {});
    await turns();
    stop.abort(new Error('user pressed stop'));
    await reading;
    await expect.poll(() => on.handler.openRuns).toBe(0);
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant (aborted): Half']);
    // The old line throws an error of its own in the place of the app's.
    if (!isOldCore) expect(on.synap.stored[1]?.metadata?.error).toBe('Error: user pressed stop');
  });

  it.each([
    ['a database’s error that mentions an abort', database],
    ['a provider’s timeout', named('TimeoutError', 'The operation was aborted due to timeout')],
  ])('a model that breaks by %s is an error, with its text', async (_, error) => {
    await using on = await handlerOn();
    const model = half({ error });
    await drain(model.stream('Hi', on.config)).catch(() => {});
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant (error): Half']);
    expect(on.synap.stored[1]?.metadata?.error).toContain(error.message);
  });

  it('a graph whose node fails is an error, though LangGraph aborts the other nodes', async () => {
    await using on = await handlerOn();
    const State = Annotation.Root({ question: Annotation<string>, answer: Annotation<string> });
    const model = half({ wait: never });
    const graph = new StateGraph(State)
      .addNode('reply', async ({ question }) => {
        for await (const _ of await model.stream(question));
        return { answer: 'never' };
      })
      .addNode('look', async () => {
        await expect.poll(() => model.prompts.length).toBe(1);
        throw database;
      })
      .addEdge(START, 'reply')
      .addEdge(START, 'look')
      .addEdge('reply', END)
      .addEdge('look', END)
      .compile();
    await graph.invoke({ question: 'Hi' }, on.config).catch(() => {});
    await expect.poll(() => on.handler.openRuns).toBe(0);
    const [, answer] = await on.transcript();
    expect(answer ?? 'assistant (error): ').toMatch(/^assistant \(error\): /);
  });
});
