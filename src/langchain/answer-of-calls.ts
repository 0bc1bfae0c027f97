import { isObject } from '../internal/guards.js';
import type { Answer, AnswerContext, AnswerText } from './answer-context.js';
import { answeringCall } from './answering-call.js';
import type { LlmCall } from './llm-call.js';
import { MAX_DEPTH, type OutputParts, partsOfOutput } from './output-texts.js';
import { answerOfValue } from './structured-answer.js';

/** The answer in an output of the app's own shape, by what its models have said. */
export function answerOfCalls(context: AnswerContext): Answer {
  const parts = partsOfOutput(context.output);
  return answerOfTexts(parts, context) ?? answerOfObjects(parts, context) ?? answerOfOnlyCall(parts, context);
}

/** The one model whose text stands somewhere in the output: above all at its top, where results are given. */
function answerOfTexts({ texts }: OutputParts, { calls }: AnswerContext): Answer {
  const answering = calls.filter(call => call.answers);
  const among = (depth: number) => answering.filter(call => (texts.get(call.text.trim()) ?? Infinity) <= depth);
  const top = among(1);
  return only(top.length > 0 ? top : among(MAX_DEPTH));
}

/** The one structured answer that stands there. */
function answerOfObjects({ objects, texts }: OutputParts, { calls, steps }: AnswerContext): Answer {
  const isText = (call: LlmCall) => call.answers && texts.has(call.text.trim());
  if (calls.some(isText)) return undefined;
  let found: AnswerText | undefined;
  for (const value of objects.keys()) {
    const answer = answerOfValue(value, calls, steps);
    if (answer === undefined || answer.text === found?.text) continue;
    if (found) return undefined;
    found = answer;
  }
  return found;
}

function answerOfOnlyCall(parts: OutputParts, { calls, input, output, prompt, nodesNamed }: AnswerContext): Answer {
  const answering = calls.filter(call => call.answers);
  const last = answering.at(-1);
  if (!last) return isEmpty(parts) && isPlain(output) ? 'none' : undefined;
  // The app has said that these nodes answer; of several attempts the last stands, unless two ran side by side.
  if (nodesNamed && answering.every(call => call === last || !call.overlaps(last))) return answerOfCall(last);
  // What a step of the app has made of the model's text is the answer; the text itself may be what it was to keep back.
  const made = [...partsOfOutput(withoutInput(output, input)).texts.keys()].filter(text => text !== prompt?.trim());
  const [text] = made;
  const isOnly = text !== undefined && made.length === 1 && answering.length === 1;
  // Beside numbers, as a classifier gives them, it is only an answer if it is made of what the model said.
  if (isOnly && (!parts.hasScalars || answeringCall(answering, { text }))) return { text };
  // A graph may stream the text without keeping it. A chain puts out what it says.
  if (made.length > 0 || parts.hasScalars || answering.some(call => call.place === undefined)) return undefined;
  return only(answering);
}

function isEmpty({ texts, hasScalars }: OutputParts): boolean {
  return texts.size === 0 && !hasScalars;
}

/** An output without what it passes through from the input. */
function withoutInput(output: unknown, input: AnswerContext['input']): unknown {
  if (!isObject(output) || !input) return output;
  return Object.entries(output).flatMap(([key, value]) => (input.has(key, value) ? [] : [value]));
}

// A stream, a response of HTTP or the like may hold an answer that can't be seen.
function isPlain(output: unknown): boolean {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return true;
  const prototype: unknown = Object.getPrototypeOf(output);
  // A plain object may be of another realm.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function only([first, ...others]: readonly LlmCall[]): Answer {
  return first && others.every(call => call.text === first.text) ? answerOfCall(first) : undefined;
}

function answerOfCall(call: LlmCall): AnswerText {
  return { text: call.text, messageId: call.messageId, call };
}
