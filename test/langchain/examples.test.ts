import { describe, expect, it } from 'vitest';
import { runProgram } from '../support/run-program.js';
import type { ModelScript } from '../support/scripted-model.js';
import { isOldCore, lineOf } from './support.js';

async function runExample(file: string, script: ModelScript) {
  const ran = await runProgram(`examples/${file}`, script);
  return { ...ran, transcript: ran.messages.map(lineOf) };
}

// Child processes have the project's own LangChain, whichever line these tests run on.
describe.skipIf(isOldCore)('an example', () => {
  it('langchain-history.ts remembers what was said, and records each message once', async () => {
    const answers = ['Air scatters blue light.', 'Then the way through the air is longer.'];
    const { stdout, stderr, messages, transcript, requests } = await runExample('langchain-history.ts', (_, index) => ({
      text: answers[index] ?? '',
    }));
    expect(transcript).toEqual([
      'user: Why is the sky blue?',
      `assistant: ${answers[0]}`,
      'user: And at sunset?',
      `assistant: ${answers[1]}`,
    ]);
    expect(messages[3]?.metadata).toMatchObject({ model: 'gpt-5-mini', status: 'complete' });
    expect(requests[1]?.messages.map(({ content }) => content)).toEqual([
      'Answer in one sentence.',
      'Why is the sky blue?',
      answers[0],
      'And at sunset?',
    ]);
    expect(stdout).toBe(`${answers.join('\n')}\n`);
    expect(stderr).toBe('');
  });

  it('langchain-agent.ts records the answer, and not the draft before the tool', async () => {
    const { stderr, messages, transcript } = await runExample('langchain-agent.ts', (_, index) =>
      index === 0
        ? { text: 'Let me look.', toolCalls: [{ name: 'weather', arguments: { city: 'London' } }] }
        : { text: ['No: ', 'it is clear.'] },
    );
    expect(transcript).toEqual(['user: Do I need an umbrella in London?', 'assistant: No: it is clear.']);
    expect(messages[1]?.metadata).toMatchObject({ steps: 2, tool_calls: ['weather'] });
    expect(stderr).toBe('');
  });

  it('langgraph-router.ts records what the answering node says, and not the router', async () => {
    const { stdout, stderr, messages, transcript } = await runExample('langgraph-router.ts', (_, index) => ({
      text: index === 0 ? 'billing' : 'You pay 5 euros.',
    }));
    expect(transcript).toEqual(['user: What do I pay in March?', 'assistant: You pay 5 euros.']);
    expect(messages[1]?.metadata).toMatchObject({ model: 'gpt-5-mini', steps: 1 });
    expect(stdout).toBe('You pay 5 euros.\n');
    expect(stderr).toBe('');
  });

  it('langgraph-resume.ts records the words of each way to go on, and nothing for an approval', async () => {
    const { stderr, messages, transcript } = await runExample('langgraph-resume.ts', ({ messages }) => ({
      text: `Re: ${messages.at(-1)?.content}`,
    }));
    expect(transcript).toEqual(
      ['What is a monad?', 'And a functor?', 'And a monoid?', 'And a group?', 'And a ring?'].flatMap(question => [
        `user: ${question}`,
        `assistant: Re: ${question}`,
      ]),
    );
    expect(messages.map(({ metadata }) => metadata.edited).filter(Boolean)).toEqual([true]);
    expect(messages[8]?.metadata.edited).toBe(true);
    expect(stderr).toBe('');
  });

  it('langgraph-ask-human.ts records the question of the tool, and the reply', async () => {
    const { stdout, stderr, transcript } = await runExample('langgraph-ask-human.ts', (_, index) =>
      index === 0
        ? { toolCalls: [{ name: 'ask_human', arguments: { question: 'Where are you?' } }] }
        : { text: 'Yes, it rains.' },
    );
    expect(transcript).toEqual([
      'user: Do I need an umbrella?',
      'assistant: Where are you?',
      'user: In London',
      'assistant: Yes, it rains.',
    ]);
    expect(stdout).toBe('Yes, it rains.\n');
    expect(stderr).toBe('');
  });
});
