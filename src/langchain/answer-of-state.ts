import { isObject } from '../internal/guards.js';
import type { Answer, AnswerContext } from './answer-context.js';
import { answerOfReplies, type Reply } from './answer-of-messages.js';
import { humanContent, messageText } from './content.js';
import { findCall } from './find-call.js';
import { isSameData } from './json-values.js';
import type { LlmCall } from './llm-call.js';
import { callsTools, type Message, readMessages, toolArguments } from './messages.js';
import { joinedAnswer } from './published.js';
import { answerOfResponse } from './structured-answer.js';

/** The answer in the state of a graph: the value of a response format, else what stands in its messages. */
export function answerOfState(context: AnswerContext): Answer {
  const { output, calls, steps, interrupted } = context;
  if (!isObject(output)) return undefined;
  const response = interrupted ? undefined : answerOfResponse(output.structuredResponse, calls, steps);
  const messages = messagesOf(context);
  return response ?? (messages && answerAmong(messages, context)) ?? answerOfOtherLists(context);
}

// A history may be long, and several rules look at it.
const read = new WeakMap<AnswerContext, readonly Message[] | undefined>();

/** What an output has under `messages`: there, a list of nothing but strings is one of messages, too. */
function messagesOf(context: AnswerContext): readonly Message[] | undefined {
  if (read.has(context)) return read.get(context);
  const { output } = context;
  const messages = isObject(output) ? readMessages(output.messages, { strings: true }) : undefined;
  read.set(context, messages);
  return messages;
}

/**
 * The answer that a node put into the messages, and that a later one has deleted together with the question: a summary took
 * the place of both. Where the question is still there, the answer was taken back: there is none.
 */
export function answerTidiedAway(context: AnswerContext): Answer {
  const messages = messagesOf(context);
  const answer = joinedAnswer(context.published);
  if (!messages || !answer) return undefined;
  return promptIndex(messages, context) >= 0 ? 'none' : answer;
}

/** Whether a state has messages, and the last of them is the user's: the conversation waits where the user left it. */
export function endsWithUser(context: AnswerContext): boolean {
  return messagesOf(context)?.at(-1)?.speaker === 'human';
}

/** Whether a state has messages. */
export function hasMessages(context: AnswerContext): boolean {
  return messagesOf(context) !== undefined;
}

/** Whether a state has messages, and the last of them is an answer. */
export function endsWithAnswer(context: AnswerContext): boolean {
  const last = messagesOf(context)?.at(-1);
  return last !== undefined && isAnswer(last);
}

/** The answer in a list of messages; undefined where it is none. */
export function answerOfList(list: unknown, context: AnswerContext): Answer {
  const messages = readMessages(list);
  return messages && answerAmong(messages, context);
}

function answerAmong(messages: readonly Message[], context: AnswerContext): Answer {
  const { calls, steps, interrupted } = context;
  const lastCall = calls.findLast(call => call.visible && call.state === 'done');
  const endsWithTools = steps.decidedToEnd && !interrupted && (lastCall === undefined || lastCall.forTools);
  return answerOfReplies(repliesIn(messages, context), { calls, endsWithTools });
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
    const answer = answerAmong(messages, context);
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
  const behind = messages.slice(start + 1).map((message, index): Reply => {
    const place = start + 1 + index;
    const call = callOf(message, calls);
    const response = call ? undefined : responseBehind(messages, place, context);
    const isHandedOn = context.steps.isHandedOn(message.fields);
    return { message, place, isHandedOn, call: response?.call ?? call, response: response?.text };
  });
  const known = new Set(behind.map(({ call }) => call));
  const replaced = messages.slice(0, start + 1).flatMap((message): Reply[] => {
    const call = message.speaker === 'ai' && message.id !== undefined ? callOf(message, calls) : undefined;
    return call?.answers && call.messageId === message.id && !known.has(call) ? [{ message, call }] : [];
  });
  const answers = [...replaced, ...behind].some(
    ({ message, place }) => isAnswer(message) && context.isNew(message, place),
  );
  // Its call is not always known: a node may call its model with callbacks of its own.
  const unknown = answers
    ? undefined
    : messages.slice(0, start + 1).findLast(message => isAnswer(message) && context.hasReplaced(message));
  if (unknown) replaced.push({ message: unknown });
  const replies = [...replaced, ...behind].filter(({ message, place, call }) => {
    if (nodesNamed && (call ? !call.visible : context.steps.isFromOtherNode(message.fields))) return false;
    return call !== undefined || context.isNew(message, place);
  });
  // A model that the app keeps from the stream may still give the answer; where another does, what it said is a plan.
  const isHidden = ({ message, call }: Reply) =>
    call === undefined && callOf(message, context.hiddenCalls) !== undefined;
  const shown = replies.filter(reply => !isHidden(reply));
  return shown.some(({ message }) => isAnswer(message)) ? shown : replies;
}

function isAnswer(message: Message): boolean {
  return message.speaker === 'ai' && !callsTools(message);
}

function callOf(message: Message, calls: readonly LlmCall[]): LlmCall | undefined {
  return findCall(calls, { text: messageText(message), messageId: message.id });
}

// Workers and critics may speak as humans too; the user's own message is known by its words.
function promptIndex(messages: readonly Message[], { prompt }: AnswerContext): number {
  return messages.findLastIndex(
    ({ speaker, content }) => speaker === 'human' && humanContent(content).content === prompt,
  );
}

/**
 * The value that an agent with a response format was asked for, where a text of LangChain's or of the app's own stands in the
 * messages for it: behind the call of the tool whose arguments it is. In a graph around the agent, that is all there is.
 */
function responseBehind(messages: readonly Message[], index: number, { calls, steps }: AnswerContext) {
  const before = messages.slice(0, index).findLast(message => message.speaker !== 'tool');
  if (before?.speaker !== 'ai' || steps.responses.length === 0) return undefined;
  const response = steps.responses.find(value => toolArguments(before).some(made => isSameData(made, value)));
  return response === undefined ? undefined : answerOfResponse(response, calls, steps);
}
