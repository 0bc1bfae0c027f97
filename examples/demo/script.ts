import type { ChatRequest, ModelReply } from 'synap-recorder-local/model';

const ANSWERS: Record<string, string> = {
  'Who was Ada Lovelace?': 'She was a mathematician, and wrote the first program that was published.',
  'When was that?': 'In 1843, in her notes to an article that she had translated.',
  'Which machine was it for?': 'For the Analytical Engine of Charles Babbage, which was never built.',
  'Do I need an umbrella?': 'No: it is 17 °C and clear in London.',
};

/** Plays the model of the demo: an answer in words of its own pace, and for the weather a call of the tool first. */
export function demoScript({ messages }: ChatRequest): ModelReply {
  const last = messages.at(-1);
  const question = String(last?.content);
  const usage = { prompt_tokens: 12 * messages.length, completion_tokens: 16 };
  if (last?.role === 'tool')
    return { text: words(`In London it is ${question.replace(' in London', '')}.`), usage, delayMs: 8 };
  if (question === 'What is the weather in London?')
    return { toolCalls: [{ id: 'call_weather', name: 'weather', arguments: { city: 'London' } }], usage, delayMs: 8 };
  return { text: words(ANSWERS[question] ?? `I have no script for: ${question}`), usage, delayMs: 8 };
}

function words(text: string): string[] {
  return text.split(/(?<= )/);
}
