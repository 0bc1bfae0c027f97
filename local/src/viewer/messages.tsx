import { halvesTogether } from '../halves.js';
import type { StoredMessage } from '../store/records.js';
import type { AnswerMetadata } from '../store/transcripts.js';
import { Typesetter } from './markdown.js';
import { Message } from './message.js';
import { answerFacts } from './message-facts.js';

export interface MessagesProps {
  messages: readonly StoredMessage[];
  /** The conversation's answers, by which the bars are measured. */
  answers: readonly AnswerMetadata[];
  /** Who speaks in the conversation. */
  users: readonly string[];
}

// Below this, short answers all look long.
const LEAST_WHOLE_BAR_MS = 1000;

export function Messages({ messages, answers, users }: MessagesProps) {
  const typesetter = new Typesetter();
  const wholeMs = wholeBar(answers);
  const answered = new Set(
    messages.flatMap(({ role, metadata }) => (role === 'assistant' ? (metadata.turn_id ?? []) : [])),
  );
  return (
    <>
      {halvesTogether(messages).map(({ message, isSecond }, index, all) => (
        <Message
          message={message}
          typesetter={typesetter}
          wholeMs={wholeMs}
          named={users.length > 1}
          unanswered={!answered.has(message.metadata.turn_id ?? null) && isLeft(message, all[index + 1]?.message)}
          continued={isSecond}
        />
      ))}
    </>
  );
}

/** Twice the usual latency: one answer that hung must not shrink all other bars. */
function wholeBar(answers: readonly AnswerMetadata[]): number {
  const latencies = answers.flatMap(({ metadata }) => answerFacts(metadata).latencyMs ?? []).sort((a, b) => a - b);
  return Math.max(2 * (latencies[latencies.length >> 1] ?? 0), LEAST_WHOLE_BAR_MS);
}

/** @returns whether the user went on to another turn; false for the last message */
function isLeft(message: StoredMessage, next: StoredMessage | undefined): boolean {
  if (message.role !== 'user' || next?.role !== 'user') return false;
  const { turn_id } = message.metadata;
  return turn_id === undefined || turn_id !== next.metadata.turn_id;
}
