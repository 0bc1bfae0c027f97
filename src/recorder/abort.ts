import { property } from '../internal/guards.js';
import { ErrorReader, oneLine, PLAIN_NAMES, type Told, type Withheld, withName } from './read-error.js';

// An error may be its own cause.
const MAX_CAUSES = 6;

/** What an adapter knows of the signals of a call that broke. */
export interface AbortSignals {
  /** The app's own: one that is aborted settles it. */
  readonly own?: readonly (AbortSignal | undefined)[] | undefined;
  /**
   * Those that a framework has made, of the app's or for itself. It aborts them when a sibling has failed, too, so that one
   * counts only where the error is its doing.
   */
  readonly derived?: readonly (AbortSignal | undefined)[] | undefined;
  /** Whether the framework reports an abort by the error that it throws, and no signal is known that says otherwise. */
  readonly byError?: boolean | undefined;
}

/**
 * Whether somebody has stopped an answer: the app, by a signal of its own, or the framework, by saying so. Everything else
 * that breaks it is an error, whatever its name or its text has of an abort.
 */
export function isAborted(error: unknown, { own = [], derived = [], byError = false }: AbortSignals): boolean {
  if (own.some(wasAborted)) return true;
  if (derived.some(signal => wasAborted(signal) && (isReasonOf(signal, error) || reportsAbort(error)))) return true;
  return byError && reportsAbort(error);
}

function wasAborted(signal: AbortSignal | undefined): boolean {
  return property(signal, 'aborted') === true;
}

/** Whether an error is what a signal was aborted with, or was made of it. */
function isReasonOf(signal: AbortSignal | undefined, error: unknown): boolean {
  const reason = property(signal, 'reason');
  if (reason === undefined || reason === null) return false;
  let made = error;
  for (let depth = 0; depth < MAX_CAUSES && made !== undefined && made !== null; depth++) {
    // LangChain makes an Error of a reason that is a text.
    if (made === reason || (typeof reason === 'string' && property(made, 'message') === reason)) return true;
    made = property(made, 'cause');
  }
  return false;
}

// The names that LangChain and the SDKs below it give to an abort, and no more than those: "current transaction is aborted" is
// a database's error.
const ABORT_NAMES = new Set(['AbortError', 'ModelAbortError', 'APIUserAbortError']);

/** Whether an error says, by its name or by all of its text, that something was aborted. */
function reportsAbort(error: unknown): boolean {
  const name = property(error, 'name');
  if (typeof name === 'string' && ABORT_NAMES.has(name)) return true;
  const message = property(error, 'message');
  return typeof message === 'string' && /abort/i.test(message) && isDefault(message);
}

/**
 * Why the app aborted, as far as it said so itself: undefined for `abort()` without an argument, and for the words that
 * platforms and frameworks put in that place. A timeout's reason is one.
 */
export function abortText(reason: unknown, withheld: Withheld = {}): string | undefined {
  if (reason === undefined || reason === null) return undefined;
  const reader = new ErrorReader();
  let abort = reason;
  // Node.js and fetch wrap the reason of a signal in an error of their own.
  for (let depth = 0; depth < MAX_CAUSES; depth++) {
    const told = reader.read(abort, 0);
    if (typeof abort !== 'object' || abort === null || !saysNothing(told))
      return oneLine(withName(abort, told), withheld);
    const cause = reader.get(abort, 'cause');
    if (cause === undefined || cause === null) return undefined;
    abort = cause;
  }
  return undefined;
}

// What abort() without a reason becomes: in Node.js, Deno, Bun, Chrome, Safari, Firefox, undici, node-fetch, axios, the
// AI SDK, LangChain, and the SDKs of OpenAI and Anthropic.
const DEFAULT_ABORTS = new Set([
  'abort',
  'aborted',
  'aborterror',
  'bodystreambuffer was aborted',
  'canceled',
  'cancelled',
  'delay was aborted',
  'fetch is aborted',
  'fetch request has been canceled',
  'model invocation was aborted',
  'operation aborted',
  'operation was aborted',
  'polling was aborted',
  'request aborted',
  'request was aborted',
  'signal is aborted without reason',
  'signal is aborted without reason given',
  'stream aborted',
  "the fetching process for the media resource was aborted by the user agent at the user's request",
  'the operation was aborted',
  'the operation was canceled',
  'the operation was cancelled',
  'the request was aborted',
  'the signal has been aborted',
  'the user aborted a request',
  'the stream was canceled',
  'the stream was cancelled',
  'the websocket chat request was aborted',
  'this operation was aborted',
  'user aborted the request',
]);

function saysNothing({ name, text }: Told): boolean {
  if (text !== undefined) return isDefault(text);
  return name === undefined || PLAIN_NAMES.has(name) || /abort|cancel/i.test(name);
}

/** Whether a text says nothing but that there was an abort. */
function isDefault(text: string): boolean {
  // The longest of them is shorter: what an app or a provider writes may be long.
  if (text.length > 200) return false;
  return DEFAULT_ABORTS.has(
    text
      .trim()
      .toLowerCase()
      .replace(/[.!]+$/, ''),
  );
}
