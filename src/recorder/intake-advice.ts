import { errorForLog } from '../delivery/error-for-log.js';
import type { LossReason } from '../delivery/loss.js';
import type { Identity } from './identity.js';
import { RedactionError } from './run-redaction.js';

// What the log says of what the intake leaves out: what happened, and the line to write.

export const TAGS_TOO_LARGE =
  'the largest tags of a message are left out: all together are over 64 KiB or 5,000 values. Pass less, e.g. metadata: { documentId: document.id } instead of the document';

const EXAMPLES: Record<keyof Identity, string> = {
  userId: 'session.user.id',
  conversationId: 'chat.id',
  customerId: 'org.id',
  sessionId: 'session.id',
};

const LANGCHAIN_NAMES: Record<keyof Identity, string> = {
  userId: 'user_id',
  conversationId: 'conversation_id',
  customerId: 'customer_id',
  sessionId: 'session_id',
};

/** The line to write for a part of the identity. LangChain's runs take it in their config, other calls in their options. */
function lineFor(part: keyof Identity, framework: string | undefined): string {
  if (framework === 'langchain') {
    const pair = `{ ${LANGCHAIN_NAMES[part]}: ${EXAMPLES[part]} }`;
    return `chain.invoke(input, { callbacks: [handler], metadata: ${pair} }), or configurable: ${pair}`;
  }
  const pair = `{ ${part}: ${EXAMPLES[part]} }`;
  return `recorder.turn(${pair}), or providerOptions: { synap: ${pair} }`;
}

/** What to say of a turn that can't be recorded without its user or customer. */
export function missingAdvice(part: 'userId' | 'customerId', framework: string | undefined): string {
  return `a turn without ${part} is not recorded. Pass one, e.g. ${lineFor(part, framework)}`;
}

/** What to say of a turn whose conversation nobody named. */
export function missingConversationAdvice(framework: string | undefined): string {
  return `a turn without conversationId is recorded as a conversation of its own. Pass the id of the chat, e.g. ${lineFor('conversationId', framework)}`;
}

const CONSEQUENCES: Record<keyof Identity, string> = {
  userId: 'Such a turn is not recorded. Pass the id of the signed-in user',
  conversationId: 'Such a turn is a conversation of its own. Pass the id of the chat',
  customerId:
    'Such a turn is recorded without a customer, and under a chat id that is no UUID as a conversation of its own. Pass the id of the tenant',
  sessionId: 'Such a turn is recorded without a session. Pass the id of the session',
};

/** What to say of a part of an identity that names nobody. */
export function unknownAdvice(part: keyof Identity, problem: string, framework: string | undefined): string {
  return `${problem}. ${CONSEQUENCES[part]}, e.g. ${lineFor(part, framework)}; without one, leave it out`;
}

const ADVICE: Partial<Record<LossReason, string>> = {
  invalid_message:
    'a message is not recorded, because it can not be read or written as JSON. Pass its text as a string, e.g. turn.user(String(text))',
  redact_failed:
    'a message is not recorded, because redact threw, returned no message, or took too long (redactTimeoutMs). Return the message or null, e.g. redact: message => ({ ...message, content: mask(message.content) })',
  outbox_full:
    'messages are not recorded, because too many wait for delivery already. Give them more room, e.g. outbox: sqliteOutbox({ path: "outbox.db" }), and see whether Synap answers: npx synap-recorder doctor',
  outbox_failed: 'a message is not recorded, because the outbox failed to store it. See to its disk or database',
  recorder_closed:
    'messages are not recorded, because the recorder is closed. Close it after the last answer: await server.close(); await recorder.close()',
};

/** What to say of a loss; undefined where the app wanted it so, or where more is said elsewhere. */
export function lossAdvice(reason: LossReason, error: unknown): string | undefined {
  const advice = ADVICE[reason];
  if (advice === undefined) return undefined;
  if (error === undefined) return `${advice} (${reason})`;
  return `${advice} (${reason}: ${RedactionError.is(error) ? error.message : errorForLog(error)})`;
}

/** What is said once: of a redaction, each way in which it fails. */
export function topicOf(reason: LossReason, error: unknown): string {
  return RedactionError.is(error) ? `${reason}:${error.kind}` : reason;
}
