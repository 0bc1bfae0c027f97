import type { AnswerText } from './answer-context.js';
import type { LlmCall } from './llm-call.js';

/** The call that an answer came from: by its message's id and text, else by its text. The latest of several. */
export function findCall(calls: readonly LlmCall[], answer: AnswerText): LlmCall | undefined {
  const same = (call: LlmCall) => call.state === 'done' && call.text.trim() === answer.text.trim();
  return (
    calls.findLast(call => answer.messageId !== undefined && call.messageId === answer.messageId && same(call)) ??
    calls.findLast(same)
  );
}
