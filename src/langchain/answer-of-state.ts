import { isObject } from '../internal/guards.js';
import type { Answer, AnswerContext } from './answer-context.js';
import { answerOfReplies, type Reply } from './answer-of-messages.js';
import { answerText, humanContent } from './content.js';
import { findCall } from './find-call.js';
import type { LlmCall } from './llm-call.js';
import { callsTools, type Message, readMessages } from './messages.js';
import { answerOfResponse, asJson } from './structured-answer.js';

/** The answer in the state of a graph: the value of a response format, else what stands in its messages. */
export function answerOfState(context: AnswerContext): Answer {
  const { output, calls, steps, interrupted } = context;
  if (!isObject(output)) return undefined;
  const response = interrupted ? undefined : answerOfResponse(output.structuredResponse, calls, steps);
  return response ?? answerOfList(output.messages, context) ?? answerOfOtherLists(context);
}

/** Whether a state has messages, and the last of them is the user's: the conversation waits where the user left it. */
export function endsWithUser({ output }: AnswerContext): boolean {
  return isObject(output) && readMessages(output.messages, { strings: true })?.at(-1)?.speaker === 'human';
}

function answerOfList(list: unknown, context: AnswerContext): Answer {
  const messages = readMessages(list, { strings: true });
  if (!messages) return undefined;
  const { calls, steps } = context;
  const endsWithTools = steps.decidedToEnd && !context.interrupted;
  const answer = answerOfReplies(repliesIn(messages, context), { calls, endsWithTools });
  return typeof answer === 'object' ? withoutBoilerplate(answer, context) : answer;
}

/**
 * A graph may keep its conversation under another name, and several beside it: that which holds what the user said, with an
 * answer behind it.
 */
function answerOfOtherLists(context: AnswerContext): Answer {
  const { output } = context;
  if (!isObject(output) || output.messages !== undefined) return undefined;
  const found: Answer[] = [];
  for (const value of Object.values(output)) {
    const messages = Array.isArray(value) ? readMessages(value) : undefined;
    if (!messages || promptIndex(messages, context) < 0) continue;
    const answer = answerOfList(value, context);
    if (answer !== undefined) found.push(answer);
  }
  const texts = new Set(found.map(answer => (typeof answer === 'object' ? answer.text : answer)));
  return texts.size === 1 ? found[0] : undefined;
}

/**
 * The messages of this run behind what the user said last. A provider that gives all its messages the same id makes
 * LangGraph put each in the place of the one before: then the new one stands before the user's.
 */
function repliesIn(messages: readonly Message[], context: AnswerContext): Reply[] {
  const { calls, nodesNamed } = context;
  const said = promptIndex(messages, context);
  const start = said >= 0 ? said : messages.findLastIndex(message => message.speaker === 'human');
  const behind = messages.slice(start + 1).map(message => ({ message, call: callOf(message, calls) }));
  const known = new Set(behind.map(({ call }) => call));
  const replaced = messages.slice(0, start + 1).flatMap(message => {
    const call = message.speaker === 'ai' && message.id !== undefined ? callOf(message, calls) : undefined;
    return call?.answers && call.messageId === message.id && !known.has(call) ? [{ message, call }] : [];
  });
  const replies = [...replaced, ...behind].filter(({ message, call }) => {
    if (nodesNamed && (call ? !call.visible : context.steps.isFromOtherNode(message.fields))) return false;
    return call !== undefined || context.isNew(message);
  });
  // A model that the app keeps from the stream may still give the answer; where another does, what it said is a plan.
  const isHidden = ({ message, call }: Reply) =>
    call === undefined && callOf(message, context.hiddenCalls) !== undefined;
  const shown = replies.filter(reply => !isHidden(reply));
  return shown.some(({ message }) => message.speaker === 'ai' && !callsTools(message)) ? shown : replies;
}

function callOf(message: Message, calls: readonly LlmCall[]): LlmCall | undefined {
  return findCall(calls, { text: answerText(message.content), messageId: message.id });
}

// Workers and critics may speak as humans too; the user's own message is known by its words.
function promptIndex(messages: readonly Message[], { prompt }: AnswerContext): number {
  return messages.findLastIndex(
    ({ speaker, content }) => speaker === 'human' && humanContent(content).content === prompt,
  );
}

/** An agent of LangChain's puts a text of its own before the value it was asked for; in a graph around it, that is all there is. */
function withoutBoilerplate(answer: Exclude<Answer, 'none' | undefined>, { calls, steps }: AnswerContext): Answer {
  for (const response of steps.responses) {
    const json = asJson(response, undefined);
    if (json && answer.text === `Returning structured response: ${json.text}`)
      return { ...(answerOfResponse(response, calls, steps) ?? json), messageId: answer.messageId };
  }
  return answer;
}
