import { StringOutputParser } from '@langchain/core/output_parsers';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { RunnableLambda, RunnableMap } from '@langchain/core/runnables';
import { Annotation, END, START, StateGraph } from '@langchain/langgraph';
import { describe, expect, it } from 'vitest';
import { SynapCallbackHandler } from '../../src/langchain/index.js';
import { handlerOn, ScriptedModel } from './support.js';

const prompt = ChatPromptTemplate.fromTemplate('Answer {question}');
const asked = { question: 'Why?' };
const saying = (text: string) => prompt.pipe(new ScriptedModel([text])).pipe(new StringOutputParser());
const two = (first = 'joke', second = 'poem') => RunnableMap.from({ [first]: saying('Ha'), [second]: saying('Oh') });

function graph(first = 'joke', second = 'poem') {
  const State = Annotation.Root({
    question: Annotation<string>,
    [first]: Annotation<string>,
    [second]: Annotation<string>,
  });
  return new StateGraph(State as never)
    .addNode('one', async () => ({ [first]: (await new ScriptedModel(['Ha']).invoke('x')).text }) as never)
    .addNode('two', async () => ({ [second]: (await new ScriptedModel(['Oh']).invoke('x')).text }) as never)
    .addEdge(START, 'one' as never)
    .addEdge('one' as never, 'two' as never)
    .addEdge('two' as never, END);
}

describe('a notice of an unclear answer', () => {
  it('names a chain by its class and its steps, and does not speak of nodes', async () => {
    await using on = await handlerOn();
    await prompt
      .pipe(() => asked)
      .pipe(two())
      .invoke(asked, on.config);
    expect(on.notices).toEqual([
      '[synap-recorder] no part of the output of "RunnableSequence" (ChatPromptTemplate, RunnableLambda, RunnableMap) is clearly the answer, so only the user\'s message is recorded. Set outputKey or selectOutput',
    ]);
  });

  it('names a chain by the name that the app has given it', async () => {
    await using on = await handlerOn();
    await two().withConfig({ runName: 'jokes and poems' }).invoke(asked, on.config);
    expect(on.notices[0]).toContain('"jokes and poems"');
  });

  it('names a graph, and the option for its nodes', async () => {
    await using on = await handlerOn();
    await graph()
      .compile({ name: 'entertainer' } as never)
      .invoke(asked as never, on.config);
    expect(on.notices).toHaveLength(1);
    expect(on.notices[0]).toMatch(/"entertainer".*Set outputKey, selectOutput or assistantNodes$/);
  });

  it('names no key where the output has none', async () => {
    await using on = await handlerOn();
    await saying('x')
      .pipe(() => ['One', 'Two'])
      .invoke(asked, on.config);
    expect(on.notices[0]).toMatch(/Set selectOutput$/);
  });

  it('comes once for each chain, however often it runs and whichever handler listens', async () => {
    await using on = await handlerOn();
    for (let turn = 0; turn < 3; turn++) {
      await two().invoke(asked, on.config);
      const write = (text: string) => void on.notices.push(text);
      const handler = new SynapCallbackHandler(on.recorder, { logger: { info: write, warn: write, error: write } });
      await two().invoke(asked, { callbacks: [handler] });
      handler.close();
    }
    expect(on.notices).toHaveLength(1);
  });

  it('comes for each of several chains of the same class', async () => {
    await using on = await handlerOn();
    await two().invoke(asked, on.config);
    await two('song', 'poem').invoke(asked, on.config);
    await prompt
      .pipe(() => asked)
      .pipe(two())
      .invoke(asked, on.config);
    await RunnableLambda.from((input: typeof asked) => input)
      .pipe(two())
      .invoke(asked, on.config);
    await ChatPromptTemplate.fromTemplate('{question} {tone}')
      .pipe(() => asked)
      .pipe(two())
      .invoke({ question: 'Why?', tone: 'dry' }, on.config);
    await graph()
      .compile()
      .invoke(asked as never, on.config);
    await graph('song')
      .compile()
      .invoke(asked as never, on.config);
    expect(on.notices).toHaveLength(7);
  });

  it('comes a few times only for a chain whose output has other names each time', async () => {
    await using on = await handlerOn();
    for (let turn = 0; turn < 20; turn++) await two(`city ${turn}`, `land ${turn}`).invoke(asked, on.config);
    expect(on.notices.length).toBeLessThanOrEqual(5);
    expect(on.notices.join()).not.toMatch(/city|land/);
  });

  it('does not come for a chain in which nobody speaks', async () => {
    await using on = await handlerOn();
    await RunnableLambda.from((_: object) => ({ a: 'x', b: 'y' })).invoke({ one: 1, two: 2 }, on.config);
    expect(on.notices).toEqual([]);
  });

  it('says nothing of what was said', async () => {
    await using on = await handlerOn();
    await two().invoke({ question: 'My secret?' }, on.config);
    expect(on.notices.join()).not.toMatch(/secret|Ha|Oh/);
  });
});
