import { isObject } from '../internal/guards.js';
import { messagesOfState } from './graph-state.js';
import { type Message, readMessage, readMessages } from './messages.js';

/** How a run of LangGraph's goes on from a state that is kept. */
export interface Resume {
  /** What it adds to the state before it goes on; undefined for nothing. */
  readonly update: readonly Message[] | undefined;
  /** The texts in what an interrupt is answered with: the user's words, if they turn up in the conversation. */
  readonly replies: readonly string[];
  /** Whether there is no input at all: then the end of the state is what was said last. */
  readonly isBare: boolean;
}

// An answer to an interrupt is small, or it is a document.
const MAX_DEPTH = 6;
const MAX_REPLIES = 50;
// Fields that say which kind of answer it is, and which answer of several.
const MARKS = new Set(['type', 'action', 'id', 'name', 'role', 'lg_name', 'tool_call_id', 'args_schema']);
// What a person presses a button for. It may still be all that somebody says.
const DECISION =
  /^(?:y|n|ok|okay|yes|no|true|false|accept(?:ed)?|approved?|reject(?:ed)?|ignored?|edit(?:ed)?|continue|confirm(?:ed)?|cancel(?:led)?|den(?:y|ied)|respon(?:d|se))$/i;

/** Reads the input of a run; undefined where it begins one. */
export function readResume(input: unknown): Resume | undefined {
  const command = commandOf(input);
  if (command) return { update: updateOf(command), replies: repliesOf(command.resume), isBare: false };
  return isNothing(input) ? { update: undefined, replies: [], isBare: true } : undefined;
}

/** The text of the reply in a message that a resumed run adds: the message is it, or tells it on. */
export function replyIn(said: string, replies: readonly string[]): string | undefined {
  const whole = said.trim();
  const same = replies.find(reply => reply.trim().toLowerCase() === whole.toLowerCase());
  return same ?? replies.find(reply => !DECISION.test(reply.trim()) && whole.includes(reply.trim()));
}

function isNothing(input: unknown): boolean {
  if (input === null || input === undefined) return true;
  return (
    isObject(input) &&
    Object.keys(input).length === 1 &&
    'input' in input &&
    (input.input === null || input.input === undefined)
  );
}

/** LangGraph's Command, also as JSON, as a server passes it on, and as core wraps what is no plain object. */
function commandOf(input: unknown): Record<string, unknown> | undefined {
  if (!isObject(input)) return undefined;
  if (input.lg_name === 'Command') return input;
  const keys = Object.keys(input);
  if (keys.length === 1 && isObject(input.input) && input.input.lg_name === 'Command') return input.input;
  const { command } = input;
  const isCommand = keys.length === 1 && isObject(command) && ['resume', 'update', 'goto'].some(key => key in command);
  return isCommand ? command : undefined;
}

function updateOf({ update, goto }: Record<string, unknown>): readonly Message[] | undefined {
  const fields = Array.isArray(update) && update.every(isPair) ? Object.fromEntries(update) : update;
  const sent = [goto].flat().find(target => isObject(target) && 'args' in target);
  return messagesOfState(fields) ?? singleMessage(fields) ?? messagesOfState(isObject(sent) ? sent.args : undefined);
}

function singleMessage(fields: unknown): readonly Message[] | undefined {
  return isObject(fields) && isObject(fields.messages) ? readMessages(fields.messages) : undefined;
}

function isPair(value: unknown): value is [string, unknown] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string';
}

function repliesOf(resume: unknown): string[] {
  // A number in an object is a setting rather than what somebody says.
  if (typeof resume === 'number') return [String(resume)];
  const found = new Set<string>();
  collect(resume, 0, found);
  return [...found];
}

function collect(value: unknown, depth: number, found: Set<string>): void {
  if (depth > MAX_DEPTH || found.size >= MAX_REPLIES) return;
  if (typeof value === 'string') return void (value.trim() !== '' && found.add(value));
  const message = Array.isArray(value) ? undefined : readMessage(value);
  if (message) return collect(message.content, depth + 1, found);
  if (Array.isArray(value)) for (const element of value) collect(element, depth + 1, found);
  else if (isObject(value)) collectFields(value, depth, found);
}

function collectFields(value: Record<string, unknown>, depth: number, found: Set<string>): void {
  // What is edited of a call of a tool are its arguments: nobody says them.
  if (value.type === 'edit' || value.type === 'approve' || value.type === 'accept') return;
  for (const [name, field] of Object.entries(value)) if (!MARKS.has(name)) collect(field, depth + 1, found);
}
