// A model for those who have no key: it speaks OpenAI's protocol on this machine, and says the question again.

import { type ChatRequest, scriptedModel } from '../../test/support/scripted-model.ts';

const { url } = await scriptedModel(request => ({ text: answerTo(request).split(/(?<= )/), delayMs: 50 }));

console.log(`A model that only repeats runs on this machine:

  export OPENAI_BASE_URL=${url}
  export OPENAI_API_KEY=scripted

Ctrl-C stops it.`);

function answerTo({ messages }: ChatRequest): string {
  const question = messages.findLast(({ role }) => role === 'user')?.content;
  // A provider may send a text as the parts that it is made of.
  const text = Array.isArray(question) ? question.map(part => part.text ?? '').join('') : question;
  return `You have asked “${text}”, and I am only a script: with a real key, a model would answer now.`;
}
