import { isObject, text } from '../internal/guards.js';
import { addEnd, addText, hashOf, newHash, numberOf, type TextHash } from '../internal/text-hash.js';
import { answerText, humanContent } from './content.js';
import { type Message, readMessage, readMessages } from './messages.js';

/** Where in a graph a step runs, as LangGraph's metadata say. */
export interface GraphStep {
  readonly node: string;
  /** Which step of its graph it is; that, and how deep the graph is in others, tell which steps run side by side. */
  readonly step: string;
  /** The name of the task: no other has it, and it is the same when the task is resumed, in any process. */
  readonly task: string | undefined;
}

/** Undefined outside of LangGraph, and for the step that takes the input in. */
export function graphStep(metadata: unknown): GraphStep | undefined {
  if (!isObject(metadata)) return undefined;
  const node = text(metadata.langgraph_node);
  if (node === undefined || node === '__start__') return undefined;
  const task = text(metadata.langgraph_checkpoint_ns) ?? text(metadata.checkpoint_ns);
  return { node, step: `${task?.split('|').length}:${metadata.langgraph_step}`, task };
}

/**
 * The messages in a state of LangGraph's, be it a node's input or a graph's output: under `messages`, else under the first
 * key that holds any. Undefined where there are none.
 */
export function messagesOfState(state: unknown): readonly Message[] | undefined {
  if (Array.isArray(state)) return readMessages(state);
  if (!isObject(state)) return undefined;
  const named = Array.isArray(state.messages) ? readMessages(state.messages, { strings: true }) : undefined;
  if (named) return named;
  for (const value of Object.values(state)) {
    const found = Array.isArray(value) && value.length > 0 ? readMessages(value) : undefined;
    if (found) return found;
  }
  return undefined;
}

/** The message that a state ends with, as the state has it; undefined where that is no message. */
export function lastMessage(state: unknown): object | undefined {
  const messages = isObject(state) && Array.isArray(state.messages) ? state.messages : state;
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  return typeof last === 'object' && last !== null && readMessage(last) ? last : undefined;
}

/**
 * The messages that were there before a run has said anything: those that its first node is given.
 *
 * A message with an id is old if it says the same under that id: LangGraph puts a message whose id is there already in the
 * place of the first one. One without an id is old if it stands where it stood, or, where its place isn't known, says what
 * one has said before. Only digests are kept.
 */
export class StateBefore {
  readonly #known = new Set<number>();
  readonly #ids = new Set<number>();

  constructor(messages: readonly Message[]) {
    messages.forEach((message, place) => {
      if (message.id !== undefined) {
        this.#known.add(digestOf(message, message.id));
        this.#ids.add(hashOf(message.id));
      } else this.#known.add(digestOf(message, '')).add(digestOf(message, `\0${place}`));
    });
  }

  /** How many digests are kept. */
  get size(): number {
    return this.#known.size + this.#ids.size;
  }

  /** @param place where the message stands in its state, if that is known */
  isNew(message: Message, place?: number): boolean {
    return !this.#known.has(digestOf(message, message.id ?? (place === undefined ? '' : `\0${place}`)));
  }

  /** Whether a message stands in the place of one that said something else under its id. */
  hasReplaced(message: Message): boolean {
    return message.id !== undefined && this.#ids.has(hashOf(message.id)) && this.isNew(message);
  }

  /** What is new in a later state, in its order. */
  newIn(later: readonly Message[]): Message[] {
    return later.filter((message, place) => this.isNew(message, place));
  }
}

/**
 * Whether a human in a state may be the user: agents that report to one another as humans go by a name, and the first
 * human of the conversation by another one, or by none.
 */
export function isOfUser(message: Message, messages: readonly Message[]): boolean {
  if (message.speaker !== 'human') return false;
  const name = text(message.fields.name);
  return name === undefined || name === text(messages.find(({ speaker }) => speaker === 'human')?.fields.name);
}

// A history may be long, and the first token waits for this: of a long message its ends and its length do.
const MAX_END = 1000;

/**
 * Who says what, and under which id or place. Calls of tools count: a draft that calls them is not the answer that takes its
 * place. A number, which costs less than a text of its own for each message.
 */
function digestOf({ speaker, content, fields }: Message, place: string): number {
  const said = speaker === 'human' ? humanContent(content).content : answerText(content);
  const hash = newHash();
  hash.b ^= said.length;
  addPart(hash, speaker);
  addPart(hash, place);
  addText(hash, said, 0, Math.min(said.length, MAX_END));
  addText(hash, said, Math.max(MAX_END, said.length - MAX_END));
  addEnd(hash);
  const calls = Array.isArray(fields.tool_calls) ? fields.tool_calls : [];
  for (const call of calls) addPart(hash, isObject(call) ? String(call.id ?? call.name) : '');
  return numberOf(hash);
}

function addPart(hash: TextHash, part: string): void {
  addText(hash, part);
  addEnd(hash);
}
