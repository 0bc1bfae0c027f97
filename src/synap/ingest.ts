import * as z from 'zod/v4';
import { aJsonObject, aName, checkInput } from './check-input.js';
import type { WithCustomer } from './customer-ids.js';
import type { Role } from './messages.js';
import { aNumber, aText, readFields, someFields } from './read-fields.js';

/** One utterance of a transcript. */
export interface TranscriptTurn {
  role: Role;
  content: string;
  /** When it was said: ISO-8601, or a date. */
  timestamp?: string | Date | undefined;
}

/** A conversation from elsewhere, whole. */
export interface Transcript {
  /** Its id where it comes from, of any form. */
  conversationId: string;
  userId: string;
  customerId?: string | undefined;
  /** The turns in order, or all of it as one text. */
  transcript: readonly TranscriptTurn[] | string;
  /** For example `support_call`; 64 characters at most. */
  conversationType?: string | undefined;
  /** When it began and ended: ISO-8601, or a date. */
  startedAt?: string | Date | undefined;
  endedAt?: string | Date | undefined;
  /** What is known about it already, as JSON of 64 KB at most. */
  analysis?: Record<string, unknown> | undefined;
  /** Free-form JSON of 64 KB at most. */
  metadata?: Record<string, unknown> | undefined;
  /** Levels between customer and user, in Synap's own form. It is sent as it is. */
  scope?: Record<string, unknown> | undefined;
}

/** What Synap says of a transcript that it has taken. What it does not say is absent. */
export interface IngestReceipt {
  ingestionId?: string;
  /** `duplicate`: it has the identical one already. */
  status?: string;
  turnsRecorded?: number;
  summaryStatus?: string;
  conversationId?: string;
  externalConversationId?: string;
  /** Why the receipt could not be read, of a transcript that counts as taken because Synap answered 2xx. */
  unread?: string;
}

const aTime = z
  .union([aName, z.date().transform(date => date.toISOString())], { error: 'must be a text of ISO-8601, or a date' })
  .optional();

const aTurn = z.object({ role: z.enum(['user', 'assistant']), content: z.string(), timestamp: aTime });

const input = z.strictObject({
  conversationId: aName,
  userId: aName,
  customerId: aName.optional(),
  transcript: z.union([aName, z.array(aTurn).min(1)], {
    error: 'must be a text, or a list of { role: "user" | "assistant", content, timestamp? }',
  }),
  conversationType: aName.refine(text => text.length <= 64, { error: 'must have 64 characters at most' }).optional(),
  startedAt: aTime,
  endedAt: aTime,
  analysis: aJsonObject.optional(),
  metadata: aJsonObject.optional(),
  scope: aJsonObject.optional(),
});

/** The wire form of a transcript, and the texts in it. */
export function transcriptToWire(transcript: Transcript): { json: WithCustomer; contents: string[] } {
  const parsed = checkInput(input, transcript, 'transcript');
  const { conversationId, userId, customerId, conversationType, startedAt, endedAt, ...rest } = parsed;
  // JSON.stringify leaves out what is undefined.
  const json = {
    conversation_id: conversationId,
    user_id: userId,
    customer_id: customerId,
    conversation_type: conversationType,
    started_at: startedAt,
    ended_at: endedAt,
    ...rest,
  };
  const said = rest.transcript;
  return { json, contents: typeof said === 'string' ? [said] : said.map(turn => turn.content) };
}

const receipt = someFields({
  ingestionId: aText,
  status: aText,
  turnsRecorded: aNumber,
  summaryStatus: aText,
  conversationId: aText,
  externalConversationId: aText,
  unread: aText,
});

export function ingestReceiptFromWire(body: unknown): IngestReceipt {
  return readFields(receipt, body);
}
