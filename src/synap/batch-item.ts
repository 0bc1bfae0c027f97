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
const STATUSES = ['status', 'status_code', 'statusCode', 'http_status'];
/** What an item without an id may tell its error in. */
const ERRORS_WITHOUT_ID = ['detail', 'error_message', 'errorMessage', 'error_code', 'errorCode'];

/**
 * Reads one item: refused where it holds an `error` in any form, or says so in `status` or a flag; unreadable where it is no
 * object, or its status leaves open what became of the message; accepted where nothing says otherwise.
 */
export function readBatchItem(value: unknown): BatchItem {
  if (!isObject(value)) return { verdict: 'unreadable' };
  const { index, metadata, status } = value;
  const reason = refusalOf(value);
  const isOpen = typeof status === 'string' && OPEN_STATUS.test(status);
  return {
    verdict: reason !== undefined ? 'refused' : isOpen ? 'unreadable' : 'accepted',
    reason: reason || undefined,
    body: value,
    index: isNumber(index) ? index : undefined,
    messageKey:
      text(value.message_key) ??
      text(value.messageKey) ??
      (isObject(metadata) ? text(metadata.message_key) : undefined),
    conversationId: (text(value.conversation_id) ?? text(value.conversationId))?.toLowerCase(),
  };
}

/** The reason of a refusal, empty if it has none; undefined where nothing is refused. */
function refusalOf(item: Readonly<Record<string, unknown>>): string | undefined {
  const { error, errors, detail, message } = item;
  const hasId = [item.message_id, item.messageId].some(id => id !== undefined && id !== null);
  const said = [error, errors, ...(hasId ? [] : ERRORS_WITHOUT_ID.map(name => item[name]))].find(isAnError);
  if (said !== undefined) return wordsOf(said);
  const refused =
    FLAGS.some(flag => isFalse(item[flag])) ||
    (typeof item.status === 'string' && REFUSED_STATUS.test(item.status)) ||
    STATUSES.some(name => isRefusedNumber(item[name]));
  if (!refused) return undefined;
  return text(item.reason) ?? text(message) ?? text(detail) ?? '';
}

/** Some servers write each value as a text. */
function isFalse(value: unknown): boolean {
  return value === false || value === 0 || (typeof value === 'string' && /^\s*false\s*$/i.test(value));
}

/** Whether it is an HTTP status, as a number or a text, that is no success. */
function isRefusedNumber(value: unknown): boolean {
  const status = typeof value === 'string' && /^\d{3}$/.test(value.trim()) ? Number(value) : value;
  return isNumber(status) && (status < 200 || status > 299) && status >= 100;
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
