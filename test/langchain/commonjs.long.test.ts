// CommonJS apps: LangChain's CommonJS build is a second copy of it, with classes that no ES module sees.

import { describe, expect, it } from 'vitest';
import { scriptedSynap } from '../support/scripted-synap.js';
import { runProgram } from './run-program.js';
import { isOldCore, lineOf } from './support.js';

const LANGCHAIN = `
  const { BaseChatModel } = require('@langchain/core/language_models/chat_models');
  const { LLM } = require('@langchain/core/language_models/llms');
  const { AIMessageChunk } = require('@langchain/core/messages');
  const { ChatGenerationChunk, GenerationChunk } = require('@langchain/core/outputs');
  const { StringOutputParser } = require('@langchain/core/output_parsers');
  const { MessagesAnnotation, StateGraph } = require('@langchain/langgraph');

  const never = new Promise(() => {});
  const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
  /** Gives out each word before it is reported, as most providers do, and hangs between the two at the last one. */
  class Slow extends BaseChatModel {
    constructor(words) { super({}); this.words = words; }
    _llmType() { return 'slow'; }
    async _generate() { throw new Error('only streamed'); }
    async *_streamResponseChunks(_messages, _options, manager) {
      for (const text of this.words) {
        const chunk = new ChatGenerationChunk({ text, message: new AIMessageChunk(text) });
        yield chunk;
        if (text === 'story') await never;
        await manager?.handleLLMNewToken(text, undefined, undefined, undefined, undefined, { chunk });
      }
      await never;
    }
  }
  class SlowText extends LLM {
    _llmType() { return 'slow'; }
    async _call() { throw new Error('only streamed'); }
    async *_streamResponseChunks(_prompt, _options, manager) {
      for (const text of ['It ', 'is ', 'a ', 'story']) {
        const chunk = new GenerationChunk({ text });
        yield chunk;
        if (text === 'story') await never;
        await manager?.handleLLMNewToken(text, undefined, undefined, undefined, undefined, { chunk });
      }
      await never;
    }
  }
  const words = ['It ', 'is ', 'a ', 'story'];`;

const RECORDER = `
  const { createRecorder } = require('synap-recorder');
  const { SynapCallbackHandler } = require('synap-recorder/langchain');`;

const HANDLER = `
  const recorder = createRecorder({ userId: 'ada', conversationId: 'chat', logger: false });
  const handler = new SynapCallbackHandler(recorder);`;

/** Reads until it has the whole text, stops the stream as its last piece comes, and reads no further: a model that hangs never ends. */
const READ = `
  async function read(open, text) {
    const abort = new AbortController();
    const pieces = (await open({ callbacks: [handler], signal: abort.signal }))[Symbol.asyncIterator]();
    let got = '';
    while (got !== text) {
      const { value } = await pieces.next();
      got += typeof value === 'string' ? value : Array.isArray(value) ? value[0].text : value.text;
    }
    abort.abort();
    // What a stopped stream leaves to be recorded is known 250 ms later.
    while (handler.openRuns > 0) await wait(10);
    await recorder.close();
    process.stdout.write(got);
    process.exit();
  }`;

const apps: Record<string, string> = {
  'a model': `read(config => new Slow(words).stream('Why?', config), words.join(''));`,
  'a model for texts': `read(config => new SlowText({}).stream('Why?', config), words.join(''));`,
  'a chain': `read(config => new Slow(words).pipe(new StringOutputParser()).stream('Why?', config), words.join(''));`,
  'a graph': `
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('say', async ({ messages }) => ({ messages: [await new Slow(words).invoke(messages)] }))
      .addEdge('__start__', 'say').addEdge('say', '__end__').compile();
    const input = { messages: [{ role: 'user', content: 'Why?' }] };
    // It gets what is reported.
    read(config => graph.stream(input, { ...config, streamMode: 'messages' }), 'It is a ');`,
};

const ROUTER = `
  const graph = new StateGraph(MessagesAnnotation)
    .addNode('route', async ({ messages }) => { await new Slow(['route=', 'say']).invoke(messages); return {}; })
    .addNode('say', async ({ messages }) => ({ messages: [await new Slow(words).invoke(messages)] }))
    .addEdge('__start__', 'route').addEdge('route', 'say').addEdge('say', '__end__').compile();
  const input = { messages: [{ role: 'user', content: 'Why?' }] };
  read(config => graph.stream(input, { ...config, streamMode: 'messages' }), 'route=say');`;

const orders: Record<string, string> = {
  'loads LangChain first': `${LANGCHAIN} ${RECORDER} ${HANDLER} ${READ}`,
  'loads LangChain last': `${RECORDER} ${HANDLER} ${LANGCHAIN} ${READ}`,
};

// The recorder's own packages resolve to the new line.
describe.skipIf(isOldCore).each(Object.entries(orders))('a CommonJS app that %s', (_, head) => {
  it.each(Object.entries(apps))('records what the reader of %s got who stopped it', async (_name, app) => {
    await using synap = await scriptedSynap();
    const got = await runProgram(`${head} ${app}`, synap.url, 'cjs');
    expect(got).toMatch(/^It is a /);
    expect(synap.stored.map(lineOf)).toEqual(['user: Why?', `assistant (aborted): ${got}`]);
  });

  it('records nothing of a router that was at work when the graph was stopped', async () => {
    await using synap = await scriptedSynap();
    expect(await runProgram(`${head} ${ROUTER}`, synap.url, 'cjs')).toBe('route=say');
    expect(synap.stored.map(lineOf)).toEqual(['user: Why?']);
  });
});
