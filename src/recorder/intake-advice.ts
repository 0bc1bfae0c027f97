import { errorForLog } from '../delivery/error-for-log.js';
import type { LossReason } from '../delivery/loss.js';
import { RedactionError } from './run-redaction.js';

// What the log says of what the intake leaves out: what happened, and the line to write.

export const MISSING_CONVERSATION =
  'a turn without conversationId is recorded as a conversation of its own. Pass the id of the chat, e.g. recorder.turn({ conversationId: chat.id }), or providerOptions: { synap: { conversationId: chat.id } }';

export const TAGS_TOO_LARGE =
  'the largest tags of a message are left out: all together are over 64 KiB or 5,000 values. Pass less, e.g. metadata: { documentId: document.id } instead of the document';

const EXAMPLES = { userId: 'session.user.id', customerId: 'org.id' };

/** What to say of a turn that can't be recorded without its user or customer. */
export function missingAdvice(part: keyof typeof EXAMPLES): string {
  const pair = `${part}: ${EXAMPLES[part]}`;
  return `a turn without ${part} is not recorded. Pass one, e.g. recorder.turn({ ${pair} }), or providerOptions: { synap: { ${pair} } }`;
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
