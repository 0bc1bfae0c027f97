import type { Answer, AnswerText } from './answer-context.js';
import { answerText, messageText } from './content.js';
import type { LlmCall } from './llm-call.js';
import { callsTools, type Message } from './messages.js';
import { wordsOf } from './words.js';

/** A message after the user's last one, and the model's call that it came from. */
export interface Reply {
  readonly message: Message;
  /** Where it stands in its list. */
  readonly place?: number | undefined;
  readonly call?: LlmCall | undefined;
  /** Whether it came with a command that names the node to go to: a worker's report to its supervisor. */
  readonly isHandedOn?: boolean | undefined;
  /** The JSON of a value that it stands for. */
  readonly response?: string | undefined;
}

/** What else is known of the run that the replies are of. */
interface RunFacts {
  /** The calls of its models. */
  readonly calls: readonly LlmCall[];
  /** Whether the graph ended with tools whose results are the answer (`returnDirect`). */
  readonly endsWithTools: boolean;
}

const NO_RUN: RunFacts = { calls: [], endsWithTools: false };

/**
 * The answer among the messages that follow the user's. What the assistant says after the last tool, handoff or other
 * human (a critic, a worker) is one answer, its messages apart by a blank line: parallel nodes, a disclaimer behind the
 * answer. What a later message stands for is no part of it: see {@link takesOver} and {@link repeats}.
 */
export function answerOfReplies(replies: readonly Reply[], run = NO_RUN): Answer {
  const last = replies.at(-1)?.message;
  // It waits for its tools, as in an interrupted run.
  if (last?.speaker === 'ai' && callsTools(last)) return 'none';
  if (run.endsWithTools && last?.speaker === 'tool') return answerOfTools(replies);
  const said = replies.map(reply => ({ ...reply, text: textOf(reply) }));
  const end = said.findLastIndex(({ text }) => text !== '') + 1;
  const start = said.slice(0, end).findLastIndex(({ message }) => separates(message)) + 1;
  let parts: Said[] = [];
  for (const reply of said.slice(start, end)) {
    if (reply.text === '') continue;
    const isTakenOver = takesOver(reply, parts, replies, run.calls);
    parts = isTakenOver ? [reply] : [...parts.filter(part => !repeats(reply, part)), reply];
  }
  return joined(parts);
}

interface Said extends Reply {
  readonly text: string;
}

/** What a message of the assistant's says, as far as it is an answer. */
function textOf({ message, response }: Reply): string {
  if (message.speaker !== 'ai' || callsTools(message)) return '';
  const said = response ?? messageText(message);
  return said.trim() === '' ? '' : said;
}

/** What stands before a tool, a call of one, or somebody else's words was said on the way. */
function separates(message: Message): boolean {
  return message.speaker === 'tool' || message.speaker === 'human' || (message.speaker === 'ai' && callsTools(message));
}

/**
 * Whether an agent, or a step that works on what was said, took over before a message: models that spoke side by side all
 * answer, but one that spoke later in another agent's name, in the same node again, after a supervisor or a judge had been
 * asked, where a command sent the run on, or after several that spoke side by side, speaks for those before it.
 */
function takesOver(later: Said, parts: readonly Said[], replies: readonly Reply[], calls: readonly LlmCall[]): boolean {
  const before = parts.filter(part => !part.call || !later.call || !part.call.isBeside(later.call));
  const callsBefore = before.flatMap(({ call }) => call ?? []);
  const { call } = later;
  if (before.some(part => isOtherAgent(part.message, later.message))) return true;
  if (!call) return false;
  const wereSideBySide = callsBefore.some((one, index) =>
    callsBefore.slice(index + 1).some(other => one.isBeside(other)),
  );
  if (wereSideBySide || before.some(({ isHandedOn }) => isHandedOn)) return true;
  return callsBefore.some(earlier => isAgain(earlier, call) || isAskedBetween(earlier, call));

  function isAskedBetween(earlier: LlmCall, last: LlmCall): boolean {
    return calls.some(
      asked =>
        asked.startedAfter(earlier) && last.startedAfter(asked) && !replies.some(({ call: known }) => known === asked),
    );
  }
}

function isAgain(earlier: LlmCall, later: LlmCall): boolean {
  return earlier !== later && earlier.place !== undefined && earlier.place === later.place;
}

function isOtherAgent({ fields: { name: before } }: Message, { fields: { name: after } }: Message): boolean {
  return typeof before === 'string' && typeof after === 'string' && before !== after;
}

/**
 * Whether a message says once more what a model has said before it: in other letters, shortened, with words masked. By half of
 * their words. What the app itself has written, and what models say side by side, may be much alike and is not the same.
 */
function repeats(later: Said, earlier: Said): boolean {
  if (later.text.trim() === earlier.text.trim()) return true;
  if (!earlier.call || later.call?.isBeside(earlier.call)) return false;
  const [a, b] = [wordsOf(later.text), wordsOf(earlier.text)];
  const shared = [...a].filter(word => b.has(word)).length;
  return shared > 0 && shared * 2 >= a.size + b.size - shared;
}

function joined(parts: readonly Said[]): Answer {
  const last = parts.at(-1);
  if (!last) return undefined;
  const call = parts.findLast(part => part.call)?.call;
  const isStructured = last.response !== undefined;
  if (parts.length === 1) return { text: last.text, messageId: last.message.id, call, isStructured };
  const ids = parts.flatMap(({ message }) => message.id ?? []);
  return { text: parts.map(({ text }) => text).join('\n\n'), messageId: last.message.id, messageIds: ids, call };
}

function answerOfTools(replies: readonly Reply[]): Answer {
  const start = replies.findLastIndex(({ message }) => message.speaker !== 'tool') + 1;
  const results = replies.slice(start).filter(({ message }) => message.fields.status !== 'error');
  const texts = results.map(({ message }) => answerText(message.content)).filter(text => text.trim() !== '');
  if (texts.length === 0) return undefined;
  const answer: AnswerText = { text: texts.join('\n\n') };
  // What a tool said is no model's: its call only asked for it.
  return answer;
}
