import { safely } from '../internal/guards.js';
import type { LlmCall } from './llm-call.js';
import { wordsOf } from './words.js';

/**
 * The call of a model that an answer came from, by the first of these that tells; of several, the latest.
 *
 * 1. The id of the answer's message and its text; the text; the id alone, as where a middleware has redacted the message.
 * 2. Most of the answer's words, in any case: the app has stripped, upper-cased or masked them, or has taken them out of a
 *    longer text (`Final Answer: …`) or an object that the model gave to a tool; or all that the call said, in a longer answer.
 *
 * An answer that no visible call has to do with was written by the app: undefined. What a hidden call said is no answer.
 */
export function answeringCall(
  calls: readonly LlmCall[],
  answer: { readonly text: string; readonly messageId?: string | undefined },
): LlmCall | undefined {
  const whole = calls.filter(call => call.visible && call.state === 'done');
  const said = answer.text.trim();
  const isSame = (call: LlmCall) => call.text.trim() === said;
  const hasId = (call: LlmCall) => answer.messageId !== undefined && call.messageId === answer.messageId;
  return (
    whole.findLast(call => hasId(call) && isSame(call)) ??
    whole.findLast(isSame) ??
    whole.findLast(hasId) ??
    madeFrom(whole.slice(-MAX_COMPARED), said)
  );
}

// An agent may have called its model very often.
const MAX_COMPARED = 10;
// Fewer words may stand in any answer by chance, as a router's do.
const MIN_WORDS_WITHIN = 4;

/** The latest call of which an answer was probably made. */
function madeFrom(calls: readonly LlmCall[], answer: string): LlmCall | undefined {
  const answerWords = wordsOf(answer);
  return calls.findLast(({ text, toolArguments }) => {
    const given = toolArguments.map(value => safely(() => JSON.stringify(value)) ?? '');
    const saidWords = wordsOf([text, ...given].join(' '));
    const shared = [...answerWords].filter(word => saidWords.has(word)).length;
    if (shared === 0) return false;
    return shared * 2 >= answerWords.size || (shared === saidWords.size && shared >= MIN_WORDS_WITHIN);
  });
}
