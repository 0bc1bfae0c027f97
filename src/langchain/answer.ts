import { isObject } from '../internal/guards.js';
import { humanContent, messageText } from './content.js';
import type { LlmCall } from './llm-call.js';
import { callsTools, type Message, readMessage, readMessages } from './messages.js';

export interface AnswerText {
  readonly text: string;
  readonly messageId?: string | undefined;
}

/** What was answered: `none` where nothing was, undefined where it is not known. */
export type Answer = AnswerText | 'none' | undefined;

/** What an answer is chosen by. */
export interface AnswerContext {
  /** The root's input and output, as LangChain reports them. */
  readonly input: unknown;
  readonly output: unknown;
  /** What the user said last in this turn. */
  readonly prompt: string | undefined;
  /** The model's calls, in the order they started. */
  readonly calls: readonly LlmCall[];
  /** Whether the app has named the nodes that answer, so that others don't. */
  readonly nodesNamed: boolean;
  /** Whether a step waits for a human, so that there may be no answer yet. */
  readonly interrupted: boolean;
  /** Whether a message answers an earlier turn; undefined where all after the user's message are new. */
  readonly isOld: ((messageId: string | undefined) => boolean) | undefined;
}

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

/** The answer in a value: a string, a message of the assistant's, or the last one of a list. */
export function answerOf(value: unknown): Answer {
  if (typeof value === 'string') return { text: value };
  const message = readMessage(value);
  if (message) return message.speaker === 'ai' ? finalText(message) : undefined;
  const messages = readMessages(value);
  if (!messages) return undefined;
  const after = messages.slice(messages.findLastIndex(message => message.speaker === 'human') + 1);
  return lastAnswer(after);
}

/** What the app answered, by the first of these rules that tells. */
export function answerOfOutput(context: AnswerContext): Answer {
  const { input, output, interrupted } = context;
  if (typeof output === 'string' || readMessage(output)) return answerOf(output);
  // LangChain reports a plain value as { output: value }.
  if (isObject(output) && typeof output.output === 'string' && Object.keys(output).length === 1)
    return { text: output.output };
  const listed = answerOfState(context);
  if (listed !== undefined) return listed;
  if (interrupted) return 'none';
  return answerOfKeys(output, input) ?? answerOfLeaves(context) ?? answerOfCalls(context);
}

/** The call that an answer came from: by its message's id and text, else by its text. The latest of several. */
export function findCall(calls: readonly LlmCall[], answer: AnswerText): LlmCall | undefined {
  const same = (call: LlmCall) => call.state === 'done' && call.text.trim() === answer.text.trim();
  return (
    calls.findLast(call => answer.messageId !== undefined && call.messageId === answer.messageId && same(call)) ??
    calls.findLast(same)
  );
}

/** The last message of the assistant's after this turn's prompt. What stands before it is of earlier turns. */
function answerOfState(context: AnswerContext): Answer {
  const { output, prompt, calls, isOld } = context;
  const messages = isObject(output) ? readMessages(output.messages, { strings: true }) : undefined;
  if (!messages) return undefined;
  // Workers and critics may speak as humans too; the user's own message is known by its words.
  const promptIndex = messages.findLastIndex(
    ({ speaker, content }) => speaker === 'human' && humanContent(content).content === prompt,
  );
  const start = promptIndex >= 0 ? promptIndex : messages.findLastIndex(message => message.speaker === 'human');
  const found = lastAnswer(
    messages.slice(start + 1).filter(message => {
      const call = findCall(calls, { text: messageText(message), messageId: message.id });
      if (context.nodesNamed && call && !call.visible) return false;
      return call !== undefined || !isOld?.(message.id);
    }),
  );
  if (found !== undefined) return found;
  // No model has said anything: the conversation waits where the user left it.
  const waits = isOld !== undefined || messages.at(-1)?.speaker === 'human';
  return waits && !calls.some(call => call.answers) && answerOfKeys(output, context.input) === undefined
    ? 'none'
    : undefined;
}

function lastAnswer(messages: readonly Message[]): Answer {
  const last = messages.at(-1);
  // It waits for its tools, as in an interrupted run.
  if (last?.speaker === 'ai' && callsTools(last)) return 'none';
  return messages
    .filter(message => message.speaker === 'ai')
    .map(finalText)
    .findLast(answer => answer !== 'none');
}

function finalText(message: Message): AnswerText | 'none' {
  const said = messageText(message);
  return callsTools(message) || said.trim() === '' ? 'none' : { text: said, messageId: message.id };
}

function answerOfKeys(output: unknown, input: unknown): Answer {
  if (!isObject(output)) return undefined;
  for (const key of ANSWER_KEYS) {
    const value = output[key];
    // What the state passes through from the input is no answer.
    if (isObject(input) && input[key] === value) continue;
    const found = answerOf(value);
    if (found !== undefined) return found;
  }
  return answerOfKeys(output.output, undefined);
}

/** The one model whose text stands somewhere in the output: above all at its top, where results are given. */
function answerOfLeaves({ output, calls }: AnswerContext): Answer {
  const answering = calls.filter(call => call.answers);
  if (answering.length === 0) return undefined;
  const leaves = leavesOf(output);
  const among = (depth: number) => answering.filter(call => (leaves.get(call.text.trim()) ?? Infinity) <= depth);
  const top = among(1);
  return only(top.length > 0 ? top : among(MAX_DEPTH));
}

function answerOfCalls({ calls, output, nodesNamed }: AnswerContext): Answer {
  const answering = calls.filter(call => call.answers);
  const last = answering.at(-1);
  if (!last) return leavesOf(output).size === 0 ? 'none' : undefined;
  // The app has said that these nodes answer; of several attempts the last stands, unless two ran side by side.
  if (nodesNamed && answering.every(call => call === last || !call.overlaps(last))) return answerOfCall(last);
  return only(answering);
}

function only([first, ...others]: readonly LlmCall[]): Answer {
  return first && others.every(call => call.text === first.text) ? answerOfCall(first) : undefined;
}

function answerOfCall({ text, messageId }: LlmCall): AnswerText {
  return { text, messageId };
}

// A state may be deep and wide; the answer is looked for so far and no farther.
const MAX_DEPTH = 6;
const MAX_VALUES = 5000;

/** The texts in an output, each with the least depth at which it stands. Breadth first. */
function leavesOf(output: unknown): Map<string, number> {
  const leaves = new Map<string, number>();
  let level = [output];
  let seen = 0;
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const value of level) {
      if (++seen > MAX_VALUES) return leaves;
      const message = readMessage(value);
      const leaf = message?.speaker === 'ai' ? messageText(message) : value;
      if (typeof leaf === 'string') {
        if (leaf.trim() !== '' && !leaves.has(leaf.trim())) leaves.set(leaf.trim(), depth);
      } else if (Array.isArray(value)) next.push(...value);
      else if (isObject(value) && !message) next.push(...Object.values(value));
    }
    level = next;
  }
  return leaves;
}
