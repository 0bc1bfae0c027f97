import { isNumber, isObject, text } from '../internal/guards.js';
import { readItemError } from './error-body.js';

/** What one item of a batch's results says. */
export interface BatchItem {
  readonly verdict: 'accepted' | 'refused' | 'unreadable';
  /** In the server's words: mask them before they are shown. */
  readonly reason?: string | undefined;
  readonly body?: Readonly<Record<string, unknown>> | undefined;
  /** The place in the batch that it names, counted from 0. */
  readonly index?: number | undefined;
  readonly messageKey?: string | undefined;
  /** In lower case. */
  readonly conversationId?: string | undefined;
}

const REFUSED_STATUS = /fail|error|reject|refus|invalid|denied|not_(?:stored|recorded|accepted)/i;
/** What may have been left out because it is there already, or for another reason. */
const OPEN_STATUS = /skip|ignore|drop|time_?d?_?out|unknown/i;
const FLAGS = ['success', 'ok', 'accepted', 'stored', 'recorded'];

/**
 * Reads one item: refused where it holds an `error` in any form, or says so in `status` or a flag; unreadable where it is no
 * object, or its status leaves open what became of the message; accepted where nothing says otherwise.
 */
export function readBatchItem(value: unknown): BatchItem {
  if (!isObject(value)) return { verdict: 'unreadable' };
  const { index, conversation_id: conversationId, metadata, status } = value;
  const reason = refusalOf(value);
  const isOpen = typeof status === 'string' && OPEN_STATUS.test(status);
  return {
    verdict: reason !== undefined ? 'refused' : isOpen ? 'unreadable' : 'accepted',
    reason: reason || undefined,
    body: value,
    index: isNumber(index) ? index : undefined,
    messageKey: text(value.message_key) ?? (isObject(metadata) ? text(metadata.message_key) : undefined),
    conversationId: text(conversationId)?.toLowerCase(),
  };
}

/** The reason of a refusal, empty if it has none; undefined where nothing is refused. */
function refusalOf(item: Readonly<Record<string, unknown>>): string | undefined {
  const { error, errors, detail, message, message_id: id, status } = item;
  const said = [error, errors, id === undefined ? detail : undefined].find(isAnError);
  if (said !== undefined) return wordsOf(said);
  const refused =
    FLAGS.some(flag => item[flag] === false) ||
    (typeof status === 'string' && REFUSED_STATUS.test(status)) ||
    (isNumber(status) && (status < 200 || status > 299) && status >= 100);
  if (!refused) return undefined;
  return text(item.reason) ?? text(message) ?? text(detail) ?? '';
}

function isAnError(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== '' && value !== false && value !== 0;
}

function wordsOf(error: unknown): string {
  const { code, text: words, fields } = readItemError(error);
  const [field] = fields;
  const place = field === undefined || words?.includes(field) ? '' : ` (${field})`;
  return [code, words].filter(Boolean).join(': ') + place;
}
