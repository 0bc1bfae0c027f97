import type { AnswerText } from './answer.js';
import type { LlmCall } from './llm-call.js';
import { joinedAnswer } from './published.js';

/** What a reader may have got of a run that did not come to its end. */
export interface InterruptedAnswer extends AnswerText {
  /** The model's call that it comes from, where that is known. */
  readonly call: LlmCall | undefined;
}

/**
 * @param published the answers that LangGraph's nodes have put into the state: what runs after them works for the app
 * @param calls the calls of models, in the order they started
 * @returns undefined where nothing was on its way to the reader, or where it can't be told what
 */
export function interruptedAnswer(
  published: readonly AnswerText[],
  calls: readonly LlmCall[],
): InterruptedAnswer | undefined {
  const whole = joinedAnswer(published);
  if (whole) return { ...whole, call: undefined };
  const candidates = calls.filter(call => call.visible && call.reaches === 'reader');
  const unfinished = candidates.filter(
    call => call.state !== 'done' && call.textGiven !== '' && !candidates.some(other => other.startedAfter(call)),
  );
  // Of several side by side, none is known to be the answer.
  if (unfinished.length > 0) return unfinished.length === 1 ? ofCall(unfinished[0]) : undefined;
  // Whatever ends a run may come after the model's last token: then the whole text was on the screen.
  const streamed = candidates.filter(call => call.answers && call.streamed);
  return streamed.length === 1 ? ofCall(streamed[0]) : undefined;
}

/** Whether the answer is not known because a step behind the model has not finished. */
export function isHiddenByStep(calls: readonly LlmCall[]): boolean {
  return calls.some(call => call.visible && call.reaches === 'step' && !call.forTools && call.text.trim() !== '');
}

function ofCall(call: LlmCall | undefined): InterruptedAnswer | undefined {
  return call && { text: call.textGiven, messageId: call.messageId, call };
}
