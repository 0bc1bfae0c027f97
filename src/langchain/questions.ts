import { isObject, property, text } from '../internal/guards.js';

/** A question that a tool has put to the user by an interrupt. */
export interface Question {
  readonly text: string;
  /** The interrupt's own id, the same in every process. */
  readonly id: string | undefined;
}

// Interrupts that ask for a decision on calls of tools describe those, and ask nothing in words.
const OF_APPROVALS = ['actionRequests', 'action_requests', 'action_request', 'reviewConfigs'];
const TEXTS = ['question', 'query', 'prompt', 'message', 'text', 'content'];

/** LangGraph stops a step with these where a human is to decide; the root ends without an error. */
export function isInterrupt(error: unknown): boolean {
  return ['GraphInterrupt', 'NodeInterrupt'].includes(text(property(error, 'name')) ?? '');
}

/** The questions in an interrupt that are texts. */
export function questionsOf(error: unknown): Question[] {
  const interrupts = property(error, 'interrupts');
  if (!Array.isArray(interrupts)) return [];
  return interrupts.flatMap(interrupt => {
    const asked = questionIn(property(interrupt, 'value'));
    return asked === undefined ? [] : [{ text: asked, id: text(property(interrupt, 'id')) }];
  });
}

function questionIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value;
  if (!isObject(value) || OF_APPROVALS.some(name => name in value)) return undefined;
  for (const name of TEXTS) if (text(value[name])?.trim()) return text(value[name]);
  return undefined;
}
