import { setTimeout as sleep } from 'node:timers/promises';
import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { type Runnable, RunnableLambda, RunnableWithMessageHistory } from '@langchain/core/runnables';
import { describe, expect, it } from 'vitest';
import { turns } from '../support/turns.js';
import { chatbot, echo, lines, type On, on, prompt, ways } from './history-support.js';
import { ScriptedModel } from './support.js';

/** Waits until nothing is left to deliver. */
const delivered = (o: On) => expect.poll(() => o.recorder.stats()).toMatchObject({ pending: 0, inFlight: 0 });

describe('RunnableWithMessageHistory', () => {
  const config = (more: object = {}, sessionId = 'chat') => ({
    configurable: { sessionId },
    metadata: { conversation_id: sessionId },
    ...more,
  });
  const expected = ['user: One', 'assistant: Re: One', 'user: Two', 'assistant: Re: Two'];

  for (const [name, ask] of ways) {
    for (const lingerMs of [1, 60_000]) {
      it.each([
        ['alone', (_: On) => ({})],
        ['with a handler', (o: On) => ({ callbacks: [o.handler] })],
      ])(`is recorded once with ${name}, ${lingerMs} ms of linger, %s`, async (_, more) => {
        await using o = await on({ batch: { lingerMs } });
        const { chain, shown } = chatbot(o);
        for (const question of ['One', 'Two']) {
          await ask(chain, { question }, config(more(o)));
          if (lingerMs === 1) await delivered(o);
        }
        expect(shown()).toEqual([['One'], ['One', 'Re: One', 'Two']]);
        expect(await lines(o.history())).toEqual(['human: One', 'ai: Re: One', 'human: Two', 'ai: Re: Two']);
        expect(await o.transcript()).toEqual(expected);
        expect(await lines(o.history())).toEqual(['human: One', 'ai: Re: One', 'human: Two', 'ai: Re: Two']);
      });
    }

    it(`is recorded once with ${name} where the handler hears of the inner chain only, and has ended before`, async () => {
      await using o = await on();
      const inner = prompt.pipe(echo()).withConfig({ callbacks: [o.handler], metadata: { conversation_id: 'chat' } });
      const chain = new RunnableWithMessageHistory({
        runnable: inner as Runnable,
        getMessageHistory: () => o.history(),
        inputMessagesKey: 'question',
        historyMessagesKey: 'history',
      });
      for (const question of ['One', 'Two']) await ask(chain, { question }, { configurable: { sessionId: 'chat' } });
      expect(await o.transcript()).toEqual(expected);
      expect((await o.stored())[1]?.metadata).toMatchObject({ model: 'scripted-1' });
    });

    it(`keeps two conversations apart with ${name}, with the same words at the same time`, async () => {
      await using o = await on();
      const { chain } = chatbot(o);
      const sessions = ['chat', 'other', 'third'];
      for (const question of ['One', 'Two'])
        await Promise.all(
          sessions.map(session =>
            ask(chain, { question }, config(session === 'third' ? {} : { callbacks: [o.handler] }, session)),
          ),
        );
      for (const session of sessions) expect(await o.transcript(session)).toEqual(expected);
    });

    it(`with a handler, ${name}, tells what the handler knows of the answer`, async () => {
      await using o = await on();
      await ask(chatbot(o, { parsed: true }).chain, { question: 'One' }, config({ callbacks: [o.handler] }));
      const [, answer] = await o.stored();
      expect(answer?.metadata).toMatchObject({ model: 'scripted-1', provider: 'scripted', steps: 1 });
    });
  }

  it('is recorded once where two questions are asked at the same time and have the same answer', async () => {
    await using o = await on();
    const waits = [turns(400), turns(100)];
    const model = new ScriptedModel((_, index) => ({ text: 'ok', ...(waits[index] && { wait: waits[index] }) }));
    const chain = new RunnableWithMessageHistory({
      runnable: prompt.pipe(model) as Runnable,
      getMessageHistory: () => o.history(),
      inputMessagesKey: 'question',
      historyMessagesKey: 'history',
    });
    await Promise.all(['One', 'Two'].map(question => chain.invoke({ question }, config({ callbacks: [o.handler] }))));
    expect((await o.transcript()).sort()).toEqual(['assistant: ok', 'assistant: ok', 'user: One', 'user: Two']);
  });

  it('without a handler is recorded beside runs with one, whatever they have in common', async () => {
    await using o = await on();
    const ask = async (question: string, answer: string, more: object) =>
      prompt.pipe(new ScriptedModel([answer])).invoke({ question, history: [] }, config(more));
    await ask('One', 'ok', { callbacks: [o.handler] });
    await o.history().addMessages([new HumanMessage('Two'), new AIMessage('ok')]);
    await ask('Three', 'yes', { callbacks: [o.handler] });
    await o.history().addMessages([new HumanMessage('Three'), new AIMessage('no')]);
    expect(await o.transcript()).toEqual(
      ['One', 'ok', 'Two', 'ok', 'Three', 'yes', 'Three', 'no'].map((said, index) =>
        index % 2 ? `assistant: ${said}` : `user: ${said}`,
      ),
    );
  });

  it('without a key for the history shows the model what was said before, once', async () => {
    await using o = await on({ batch: { lingerMs: 1 } });
    const model = echo();
    const chain = new RunnableWithMessageHistory({
      runnable: model as Runnable,
      getMessageHistory: () => o.history(),
    });
    for (const question of ['One', 'Two']) {
      await chain.invoke([new HumanMessage(question)], config({ callbacks: [o.handler] }));
      await delivered(o);
    }
    expect(model.prompts.map(messages => messages.map(message => message.content))).toEqual([
      ['One'],
      ['One', 'Re: One', 'Two'],
    ]);
    expect(await o.transcript()).toEqual(expected);
  });

  it('in a chain that changes the question and the answer is one turn, with the app’s last word', async () => {
    await using o = await on();
    const outer = RunnableLambda.from(({ question }: { question: string }) => ({ question: `${question}?` }))
      .pipe(chatbot(o).chain)
      .pipe((message: AIMessage) => `${message.content}!`);
    await outer.invoke({ question: 'One' }, config({ callbacks: [o.handler] }));
    expect(await o.transcript()).toEqual(['user: One', 'assistant: Re: One?!']);
  });

  it('tells the answer where the handler can’t know which it is', async () => {
    await using o = await on();
    const outer = chatbot(o).chain.pipe(async (message: AIMessage, config) => {
      await new ScriptedModel(['A title']).invoke('Name this chat', config);
      return { length: String(message.content).length };
    });
    await outer.invoke({ question: 'One' }, config({ callbacks: [o.handler] }));
    expect(await o.transcript()).toEqual(['user: One', 'assistant: Re: One']);
    expect((await o.stored())[1]?.metadata).toMatchObject({ model: 'scripted-1', steps: 2 });
  });

  it('keeps the answer it was given when the chain around it fails', async () => {
    await using o = await on();
    const outer = chatbot(o).chain.pipe((_: unknown): string => {
      throw new Error('no JSON');
    });
    await expect(outer.invoke({ question: 'One' }, config({ callbacks: [o.handler] }))).rejects.toThrow();
    expect(await o.transcript()).toEqual(['user: One', 'assistant (error): Re: One']);
  });
});

describe('an exchange that a handler has given up as idle', () => {
  it.each(ways)('is recorded once when its answer comes at last, with %s', async (_, ask) => {
    await using o = await on({}, { idleMs: 10 });
    const model = new ScriptedModel([{ text: 'At last', wait: sleep(80) }]);
    const chain = new RunnableWithMessageHistory({
      runnable: prompt.pipe(model) as Runnable,
      getMessageHistory: () => o.history(),
      inputMessagesKey: 'question',
      historyMessagesKey: 'history',
    });
    const config = { callbacks: [o.handler], configurable: { sessionId: 'c' }, metadata: { conversation_id: 'chat' } };
    await ask(chain, { question: 'One' }, config);
    const [user, answer, ...more] = await o.transcript();
    expect(user).toBe('user: One');
    expect(answer).toMatch(/^assistant( \(abandoned\))?: At last$/);
    expect(more).toEqual([]);
  });
});

describe('a history kept by hand around a chain with a handler', () => {
  it.each(ways)('is recorded once with %s', async (_, ask) => {
    await using o = await on();
    const model = echo();
    const history = o.history();
    for (const question of ['One', 'Two', 'Two']) {
      await history.addUserMessage(question);
      const messages = await history.getMessages();
      await ask(
        RunnableLambda.from((input: { messages: [] }) => model.invoke(input.messages)) as never,
        { messages },
        {
          callbacks: [o.handler],
          metadata: { conversation_id: 'chat' },
        },
      );
      await history.addAIMessage(`Re: ${question}`);
    }
    const transcript = ['One', 'Two', 'Two'].flatMap(question => [`user: ${question}`, `assistant: Re: ${question}`]);
    expect(await o.transcript()).toEqual(transcript);
    expect(model.prompts.map(({ length }) => length)).toEqual([1, 3, 5]);
  });

  it('records what the user says while an answer is under way', async () => {
    await using o = await on();
    const slow = Promise.withResolvers<void>();
    const model = new ScriptedModel([{ text: 'First', wait: slow.promise }, 'Second']);
    const config = { callbacks: [o.handler], metadata: { conversation_id: 'chat' } };
    const history = o.history();
    await history.addUserMessage('One');
    const first = model.invoke('One', config);
    await turns();
    await history.addUserMessage('Two');
    slow.resolve();
    await first;
    await history.addAIMessage('First');
    await model.invoke([new HumanMessage('One'), new AIMessage('First'), new HumanMessage('Two')], config);
    await history.addAIMessage('Second');
    expect(await o.transcript()).toEqual(['user: One', 'user: Two', 'assistant: First', 'assistant: Second']);
  });

  it('shows what the handler has recorded, but not the prompt of the run under way', async () => {
    await using o = await on({ batch: { lingerMs: 1 } });
    const seen: string[][] = [];
    const chain = RunnableLambda.from(async (question: string) => {
      await delivered(o);
      seen.push(await lines(o.history()));
      return `Re: ${question}`;
    });
    for (const question of ['One', 'Two'])
      await chain.invoke(question, { callbacks: [o.handler], metadata: { conversation_id: 'chat' } });
    expect(seen).toEqual([[], ['human: One', 'ai: Re: One']]);
  });
});
