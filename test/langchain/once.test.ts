import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RunnableLambda } from '@langchain/core/runnables';
import { Command, END, interrupt, MemorySaver, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { describe, expect, it } from 'vitest';
import { createRecorder } from '../../src/index.js';
import { SynapCallbackHandler } from '../../src/langchain/index.js';
import { scriptedSynap } from '../support/scripted-synap.js';
import { handlerOn, isOldCore, lineOf, ScriptedModel } from './support.js';

// A message is recorded once, whichever handler, recorder or process hears of it.

const PROGRAM = fileURLToPath(new URL('programs/thread.ts', import.meta.url));
const OLD_LINE = fileURLToPath(new URL('../langchain-0.3/register.ts', import.meta.url));

/** A thread in a file, and the processes of an app that goes on with it. */
async function thread() {
  const folder = mkdtempSync(join(tmpdir(), 'synap-recorder-thread-'));
  const synap = await scriptedSynap();
  const start = (...step: string[]) => {
    const line = isOldCore ? ['--import', OLD_LINE] : [];
    return spawn(process.execPath, [...line, PROGRAM, folder, synap.url, ...step], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  };
  return {
    synap,
    start,
    async step(...step: string[]) {
      const [code] = await once(start(...step), 'close');
      expect(code).toBe(0);
    },
    /** What a Synap that goes by `message_key` has: the first of each key. */
    transcript() {
      const byKey = new Map(synap.stored.toReversed().map(message => [String(message.metadata?.message_key), message]));
      return [...byKey.values()].toReversed().map(lineOf);
    },
    async [Symbol.asyncDispose]() {
      await synap.close();
      rmSync(folder, { recursive: true });
    },
  };
}

describe('in processes of their own', () => {
  it('a draft that is approved twice, and then published, is one answer', async () => {
    await using on = await thread();
    await on.step('ask', 'Cats');
    await on.step('resume', 'true');
    await on.step('replay', 'publish');
    await on.step('replay', 'approve');
    await on.step('resume', '{"type":"accept"}');
    expect(on.synap.stored.map(lineOf)).toEqual(['user: Cats', 'assistant: Re: Cats']);
  });

  it('the words of a resume are recorded', async () => {
    await using on = await thread();
    await on.step('ask', 'Cats');
    await on.step('resume', '"Make it longer"');
    expect(on.synap.stored.map(lineOf)).toEqual([
      'user: Cats',
      'assistant: Re: Cats',
      'user: Make it longer',
      'assistant: Re: Make it longer',
    ]);
  });

  it('a process that is killed while the model is at work loses no words, and its thread goes on with them once', async () => {
    await using on = await thread();
    const killed = on.start('ask-and-hang', 'Cats');
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'close');
    await on.step('go-on');
    expect(on.transcript()).toEqual(['user: Cats', 'assistant: Re: Cats']);
  });

  it('a process that is killed has kept the words in its outbox', async () => {
    await using on = await thread();
    const killed = on.start('ask-and-hang', 'Cats');
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'close');
    await on.step('nothing');
    expect(on.transcript()).toEqual(['user: Cats']);
  });

  it('a run that is tried again under its own id is the same turn, and with other words another one', async () => {
    await using on = await thread();
    await on.step('retry', 'Cats');
    await on.step('retry', 'Cats');
    await on.step('retry', 'Dogs');
    expect(on.transcript()).toEqual(['user: Cats', 'assistant: Re: Cats', 'user: Dogs', 'assistant: Re: Dogs']);
  });
});

type State = typeof MessagesAnnotation.State;

function publishing(replies: string[]) {
  const from = new ScriptedModel(replies);
  const approve = () => {
    interrupt('ok?');
    return {};
  };
  return new StateGraph(MessagesAnnotation)
    .addNode('draft', async ({ messages }: State) => ({ messages: [await from.invoke(messages)] }))
    .addNode('approve', approve)
    .addNode('check', approve)
    .addNode('publish', () => ({}))
    .addEdge(START, 'draft')
    .addEdge('draft', 'approve')
    .addEdge('approve', 'check')
    .addEdge('check', 'publish')
    .addEdge('publish', END)
    .compile({ checkpointer: new MemorySaver() });
}

const inThread = { configurable: { thread_id: 't' } };
const question = { messages: [{ role: 'user', content: 'Cats' }] };

describe('a handler per request', () => {
  it('records a draft and its two approvals as one answer', async () => {
    await using on = await handlerOn();
    const graph = publishing(['Draft']);
    for (const input of [question, new Command({ resume: true }), new Command({ resume: true })]) {
      const handler = new SynapCallbackHandler(on.recorder, { logger: false });
      await graph.invoke(input as never, { ...inThread, callbacks: [handler] });
    }
    expect(await on.transcript()).toEqual(['user: Cats', 'assistant: Draft']);
  });

  it('and a recorder per request records them as one answer, too', async () => {
    await using synap = await scriptedSynap();
    const graph = publishing(['Draft']);
    for (const input of [question, new Command({ resume: true }), new Command({ resume: true })]) {
      const recorder = createRecorder({ apiKey: 'k', baseUrl: synap.url, userId: 'ada', batch: { lingerMs: 5 } });
      await graph.invoke(input as never, { ...inThread, callbacks: [new SynapCallbackHandler(recorder)] });
      await recorder.close();
    }
    expect(synap.stored.map(lineOf)).toEqual(['user: Cats', 'assistant: Draft']);
  });

  it('and a recorder of its own gives a message of LangGraph’s the same key', async () => {
    await using on = await handlerOn();
    await using other = await handlerOn();
    const graph = publishing(['Draft']);
    await graph.invoke(question, { ...inThread, callbacks: [on.handler, other.handler] });
    await Promise.all([on.transcript(), other.transcript()]);
    const keys = ({ synap }: typeof on) => synap.stored.map(({ metadata }) => metadata?.message_key);
    expect(keys(on)).toEqual(keys(other));
    expect(new Set(keys(on)).size).toBe(2);
  });

  it('inside the graph that another recorder records gives its answer the same key', async () => {
    await using on = await handlerOn();
    await using other = await handlerOn();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('say', async ({ messages }: State) => ({
        messages: [await new ScriptedModel([{ text: 'Answer', id: 'answer-1' }]).invoke(messages, other.config)],
      }))
      .addEdge(START, 'say')
      .addEdge('say', END)
      .compile();
    await graph.invoke(question, on.config);
    await Promise.all([on.transcript(), other.transcript()]);
    const keys = ({ synap }: typeof on) => synap.stored.map(({ metadata }) => metadata?.message_key);
    expect(keys(on)).toEqual(keys(other));
  });
});

describe('a run id of the app’s', () => {
  const echo = RunnableLambda.from((text: string) => `Re: ${text}`);
  const runId = '0190c6a5-7c5e-7e0f-8d1b-3f0a2b4c6d8e';

  it('that is used again for other words is another turn', async () => {
    await using on = await handlerOn();
    await echo.invoke('Cats', { ...on.config, runId });
    await echo.invoke('Dogs', { ...on.config, runId });
    expect(await on.transcript()).toEqual(['user: Cats', 'assistant: Re: Cats', 'user: Dogs', 'assistant: Re: Dogs']);
    expect(on.losses).toEqual([]);
  });

  it('that was answered is another turn when it is used again, with the same words as well', async () => {
    await using on = await handlerOn();
    for (let time = 0; time < 3; time++) await echo.invoke('Cats', { ...on.config, runId });
    expect(await on.transcript()).toEqual(Array(3).fill(['user: Cats', 'assistant: Re: Cats']).flat());
    expect(on.recorder.stats().repeated).toBe(0);
  });

  it('keeps what broke off apart from the answer of the next try', async () => {
    await using on = await handlerOn();
    const model = new ScriptedModel([{ text: 'Once upon', error: new Error('down') }, 'Once upon a time']);
    const read = async () => {
      for await (const _ of await model.stream('Tell', { ...on.config, runId }));
    };
    await expect(read()).rejects.toThrow('down');
    await read();
    expect(await on.transcript()).toEqual([
      'user: Tell',
      'assistant (error): Once upon',
      'assistant: Once upon a time',
    ]);
  });

  it('is known in another recorder by the same keys', async () => {
    await using on = await handlerOn();
    await using other = await handlerOn();
    for (const { config } of [on, other]) await echo.invoke('Cats', { ...config, runId });
    await Promise.all([on.transcript(), other.transcript()]);
    const keys = ({ synap }: typeof on) => synap.stored.map(({ metadata }) => metadata?.message_key);
    expect(keys(on)).toEqual(keys(other));
  });
});
