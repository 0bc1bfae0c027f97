import { isObject, text } from '../internal/guards.js';
import type { MessageContent } from '../recorder/attachments.js';
import { humanContent } from './content.js';
import { type Message, readMessages, trailingHumans } from './messages.js';
import { readResume } from './resume.js';

/** A message of the user's. */
export interface PromptMessage extends MessageContent {
  /** The id that the app gave to it. */
  readonly messageId?: string | undefined;
  /** The id that LangGraph made for it, where the app has none. */
  readonly storedId?: string | undefined;
}

/** What the user said: `none` where nobody said anything new, undefined where it is not known. */
export type Prompt = readonly PromptMessage[] | 'none' | undefined;

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
export function humans(messages: readonly Message[]): PromptMessage[] {
  return trailingHumans(messages).map(({ id, content }) => ({ ...humanContent(content), messageId: id }));
}

/** What the user said, in the input of a chain. */
export function promptOfInput(input: unknown): Prompt {
  if (readResume(input)) return 'none';
  const direct = promptOf(input);
  if (direct !== undefined || !isObject(input)) return direct;
  const { messages } = input;
  const listed =
    typeof messages === 'string' ? promptOf(messages) : promptOfMessages(readMessages(messages, { strings: true }));
  if (listed !== undefined && listed !== 'none') return listed;
  // A history that ends with an answer stands beside what the user says next.
  return promptOfKeys(input) ?? (isObject(input.input) ? promptOfInput(input.input) : undefined) ?? listed;
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
