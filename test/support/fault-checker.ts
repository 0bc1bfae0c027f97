// Checks a delivery through faults: nothing lost, nothing out of order, nothing twice without cause.

import type { FaultySynap } from './faulty-synap.js';

/** A message as a test said it. `content` is its name: each is said once. */
export interface SaidMessage {
  readonly conversationId: string;
  readonly content: string;
}

/** What is wrong with a delivery: the contents concerned, at most a few of each. */
export interface DeliveryProblems {
  /** Said, but never stored. */
  missing: string[];
  /** Stored, but never said, or said in another conversation. */
  foreign: string[];
  /** Stored for the first time after something that was said later in the same conversation. */
  outOfOrder: string[];
  /** Sent again although Synap had clearly taken it. */
  sentAgain: string[];
  /** Stored under another `message_key` than its first one, under none, or under that of another message. */
  keys: string[];
}

export const NO_PROBLEMS: DeliveryProblems = { missing: [], foreign: [], outOfOrder: [], sentAgain: [], keys: [] };

const MAX_SHOWN = 5;

/**
 * Compares what Synap stored with what was said, in the order in which it was said: everything once, or several times
 * under one key where an answer was unclear, and in order within each conversation.
 */
export function problemsOf(said: readonly SaidMessage[], synap: Pick<FaultySynap, 'requests' | 'stored'>) {
  const problems = structuredClone(NO_PROBLEMS);
  const find = (kind: keyof DeliveryProblems, content: string) => {
    if (problems[kind].length < MAX_SHOWN) problems[kind].push(content);
  };
  const places = new Map(said.map(({ conversationId, content }, place) => [content, { conversationId, place }]));
  if (places.size !== said.length) throw new Error('the test says a message twice');

  const keyOf = new Map<string, unknown>();
  const contentOf = new Map<unknown, string>();
  const newest = new Map<string, number>();
  for (const { message } of synap.stored) {
    const { content, conversation_id: conversationId } = message;
    const origin = places.get(content);
    if (origin?.conversationId !== conversationId) {
      find('foreign', content);
      continue;
    }
    const key = message.metadata?.message_key;
    if (keyOf.has(content)) {
      if (keyOf.get(content) !== key) find('keys', content);
      continue;
    }
    if (typeof key !== 'string' || contentOf.has(key)) find('keys', content);
    keyOf.set(content, key);
    contentOf.set(key, content);
    if (origin.place < (newest.get(conversationId) ?? -1)) find('outOfOrder', content);
    else newest.set(conversationId, origin.place);
  }
  for (const { content } of said) if (!keyOf.has(content)) find('missing', content);

  const taken = new Set<string>();
  for (const { messages, stored, outcome } of synap.requests) {
    for (const { content } of messages) if (taken.has(content)) find('sentAgain', content);
    if (outcome === 'clear') for (const { content } of stored) taken.add(content);
  }
  return problems;
}
