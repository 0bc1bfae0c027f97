import { isObject, property, text } from '../internal/guards.js';
import { type Message, toolNames } from './messages.js';

/** A question that a tool has put to the user by an interrupt. */
interface Question {
  readonly text: string;
  /** The interrupt's own id, the same in every process. */
  readonly id: string | undefined;
}

// Interrupts that ask for a decision on calls of tools describe those, and ask nothing in words.
const OF_APPROVALS = ['actionRequests', 'action_requests', 'action_request', 'reviewConfigs'];
const ASKING = /(?:^|[^a-z])(?:ask|clarif|question)|human|user_?input/i;
const TEXTS = ['question', 'query', 'prompt', 'message', 'text', 'content'];

/** LangGraph stops a step with these where a human is to decide; the root ends without an error. */
export function isInterrupt(error: unknown): boolean {
  return ['GraphInterrupt', 'NodeInterrupt'].includes(text(property(error, 'name')) ?? '');
}

/** What the user is asked while a run waits. */
export class Questions {
  readonly #asked: Question[] = [];

  get first(): Question | undefined {
    return this.#asked[0];
  }

  /** All of them, apart by a blank line. */
  get text(): string {
    return this.#asked.map(({ text }) => text).join('\n\n');
  }

  /**
   * A step has stopped with an interrupt.
   *
   * @param internal whether it is a tool, or part of one; a node asks only where `lastMessage` calls a tool that does
   */
  add(interrupt: unknown, { internal, lastMessage }: { internal: boolean; lastMessage: Message | undefined }): void {
    for (const question of questionsOf(interrupt)) {
      const { id, text } = question;
      const isKnown = this.#asked.some(known => known.id === id && known.text === text);
      if (!isKnown && (internal || asksUser(lastMessage, text))) this.#asked.push(question);
    }
  }
}

/** The questions in an interrupt that are texts. */
function questionsOf(error: unknown): Question[] {
  const interrupts = property(error, 'interrupts');
  if (!Array.isArray(interrupts)) return [];
  return interrupts.flatMap(interrupt => {
    const asked = questionIn(property(interrupt, 'value'));
    return asked === undefined ? [] : [{ text: asked, id: text(property(interrupt, 'id')) }];
  });
}

/**
 * Whether the call of a tool that a node takes up is a question to the user: it is named so, or says the question itself. A
 * node that asks whether other tools may be called asks for a decision.
 */
function asksUser(message: Message | undefined, question: string): boolean {
  if (message?.speaker !== 'ai') return false;
  const { tool_calls: calls } = message.fields;
  const args = Array.isArray(calls) ? calls.map(call => property(call, 'args')) : [];
  return (
    toolNames(message).some(name => ASKING.test(name)) ||
    args.some(given => isObject(given) && Object.values(given).includes(question))
  );
}

function questionIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value;
  if (!isObject(value) || OF_APPROVALS.some(name => name in value)) return undefined;
  for (const name of TEXTS) if (text(value[name])?.trim()) return text(value[name]);
  return undefined;
}
