import { isObject, text } from '../internal/guards.js';
import type { MessageContent } from '../recorder/attachments.js';
import { humanContent } from './content.js';
import { type Message, readMessages, trailingHumans } from './messages.js';

/** What the user said: `none` where nobody said anything new, undefined where it is not known. */
export type Prompt = readonly MessageContent[] | 'none' | undefined;

/** The names under which chains take what a user says, the likeliest first. */
const PROMPT_KEYS = [
  'input',
  'question',
  'query',
  'prompt',
  'message',
  'user_input',
  'userInput',
  'human_input',
  'humanInput',
  'user_message',
  'userMessage',
  'text',
  'content',
];

/** What a person wrote: a string, a message, a list of messages, or a prompt made of them. */
export function promptOf(value: unknown): Prompt {
  if (typeof value === 'string') return value === '' ? undefined : [humanContent(value)];
  return promptOfMessages(readMessages(value));
}

/** What humans said at the end of a list of messages. */
export function humans(messages: readonly Message[]): MessageContent[] {
  return trailingHumans(messages).map(message => humanContent(message.content));
}

/** What the user said, in the input of a chain. */
export function promptOfInput(input: unknown): Prompt {
  if (isResume(input)) return 'none';
  const direct = promptOf(input);
  if (direct !== undefined || !isObject(input)) return direct;
  const { messages } = input;
  const listed =
    typeof messages === 'string' ? promptOf(messages) : promptOfMessages(readMessages(messages, { strings: true }));
  if (listed !== undefined && listed !== 'none') return listed;
  // A history that ends with an answer stands beside what the user says next.
  return promptOfKeys(input) ?? (isObject(input.input) ? promptOfInput(input.input) : undefined) ?? listed;
}

/** Whether a run goes on with an interrupted one: nothing, or LangGraph's Command, is its input. */
export function isResume(input: unknown): boolean {
  if (input === null || input === undefined) return true;
  if (!isObject(input)) return false;
  if (input.lg_name === 'Command') return true;
  return Object.keys(input).length === 1 && 'input' in input && (input.input === null || input.input === undefined);
}

function promptOfMessages(messages: readonly Message[] | undefined): Prompt {
  if (!messages) return undefined;
  const said = humans(messages);
  return said.length > 0 ? said : 'none';
}

function promptOfKeys(input: Record<string, unknown>): Prompt {
  for (const key of PROMPT_KEYS) {
    const found = promptOf(input[key]);
    if (found !== undefined) return found;
  }
  const strings = Object.values(input).filter(value => text(value) !== undefined);
  return strings.length === 1 ? promptOf(strings[0]) : undefined;
}
