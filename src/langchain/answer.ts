import { isObject } from '../internal/guards.js';
import type { Answer, AnswerContext } from './answer-context.js';
import { answerOfCalls } from './answer-of-calls.js';
import { answerOfReplies } from './answer-of-messages.js';
import {
  answerOfList,
  answerOfState,
  answerTidiedAway,
  endsWithAnswer,
  endsWithUser,
  hasMessages,
} from './answer-of-state.js';
import { readMessage, readMessages } from './messages.js';
import { plainValue } from './node-messages.js';
import { isBytes, isError } from './step-outputs.js';
import { answerOfValue, structuredAnswer } from './structured-answer.js';

/** The names under which chains give their answer, the likeliest first. */
const ANSWER_KEYS = [
  'output',
  'answer',
  'final_answer',
  'finalAnswer',
  'response',
  'reply',
  'result',
  'completion',
  'generation',
  'text',
  'content',
  'message',
];

/** The answer in a value: a string, a message of the assistant's, or what the assistant says at the end of a list. */
export function answerOf(value: unknown): Answer {
  if (typeof value === 'string') return { text: value };
  const message = readMessage(value);
  if (message) return message.speaker === 'ai' ? (answerOfReplies([{ message }]) ?? 'none') : undefined;
  const messages = readMessages(value);
  if (!messages) return undefined;
  const after = messages.slice(messages.findLastIndex(({ speaker }) => speaker === 'human') + 1);
  return answerOfReplies(after.map(reply => ({ message: reply })));
}

/** What the app answered. Where that is nothing because the provider kept the model from it, the answer says so. */
export function answerOfOutput(context: AnswerContext): Answer {
  const answer = findAnswer(context);
  if (context.interrupted || (typeof answer === 'object' && answer.text.trim() !== '')) return answer;
  const last = context.calls.findLast(call => call.visible && call.state === 'done');
  return last?.isRefused ? { text: last.text, messageId: last.messageId, call: last } : answer;
}

/** By the first of these rules that tells. */
function findAnswer(context: AnswerContext): Answer {
  const { output, calls, interrupted } = context;
  if (typeof output === 'string' || readMessage(output)) return answerOf(output);
  const plain = plainValue(output);
  if (isError(plain)) return undefined;
  if (plain === null || isBytes(plain)) return answerOfBytes(plain, context);
  const whole = answerOfValueAlone(plain, context);
  if (whole !== undefined) return whole;
  const listed = (Array.isArray(plain) ? answerOfList(plain, context) : undefined) ?? answerOfState(context);
  if (listed !== undefined) return listed;
  const keyed = answerOfKeys(output, context);
  // No model has said anything: the conversation waits where the user left it.
  const waits = context.isResumed ? hasMessages(context) : endsWithUser(context);
  if (interrupted || (waits && keyed === undefined && !calls.some(call => call.answers))) return 'none';
  // What a model says behind an answer that an earlier run has given is of a judge, or of a step that sums up.
  if (context.isResumed && keyed === undefined && endsWithAnswer(context)) return 'none';
  return keyed ?? answerTidiedAway(context) ?? answerOfCalls(context);
}

/** The error that an output is, as in a batch that returns its exceptions, or that stands in it where an answer would. */
export function errorOfOutput(output: unknown): unknown {
  if (isError(output)) return output;
  return isObject(output) ? Object.values(output).find(isError) : undefined;
}

/** Of bytes, or of nothing, what a model said is not the answer: a step of the app made them. */
function answerOfBytes(value: unknown, { calls, steps }: AnswerContext): Answer {
  if (value === null) return calls.some(call => call.answers) ? undefined : 'none';
  const text = steps.textOfBytes(value);
  return text === undefined ? undefined : { text };
}

function answerOfValueAlone(value: unknown, { calls, steps }: AnswerContext): Answer {
  if (typeof value === 'string') return { text: value };
  // A classifier's: it is what the app got.
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return { text: String(value), isStructured: true };
  return structuredAnswer(value, calls, steps);
}

function answerOfKeys(output: unknown, context: AnswerContext): Answer {
  if (!isObject(output)) return undefined;
  for (const key of ANSWER_KEYS) {
    const value = output[key];
    // What the state passes through from the input is no answer.
    if (context.input?.has(key, value)) continue;
    const found = answerOf(value) ?? answerOfValue(value, context.calls, context.steps);
    if (found !== undefined) return found;
  }
  return answerOfKeys(output.output, { ...context, input: undefined });
}

export type { Answer, AnswerContext, AnswerText } from './answer-context.js';
export { findCall } from './find-call.js';
