import { property } from '../internal/guards.js';

type Options = Record<string, unknown>;
type Maker = (options: Options) => unknown;

/**
 * The helpers of a result of `experimental_streamTextLowMemory` (ai 7) read the streams of an inner object, which nobody
 * can follow. Here they are made anew, of the SDK's own functions, to read those of the result. Where the app has wrapped a
 * part of the SDK without them, the helpers stay as they are.
 *
 * @param unseen called when such a helper is about to read
 */
export function rebuildResponses(result: unknown, ai: object, unseen: () => void): void {
  if (typeof result !== 'object' || result === null) return;
  const own = result as Record<string, unknown>;
  const define = (name: string, functionName?: string, made?: (make: Maker) => (...args: never[]) => unknown): void => {
    const helper = own[name];
    if (typeof helper !== 'function') return;
    const make = functionName === undefined ? undefined : property(ai, functionName);
    const follow = typeof make === 'function' ? made?.(make as Maker) : undefined;
    const value = (...args: never[]) => {
      if (follow) return follow(...args);
      unseen();
      return helper(...args);
    };
    Object.defineProperty(result, name, { value, writable: true, enumerable: true, configurable: true });
  };
  // It reads to the end, so that what the callback says is what it gets.
  define('consumeStream');
  const chunks = (options: Options = {}) => (own.toUIMessageStream as (options: Options) => unknown)(options);
  define(
    'toUIMessageStreamResponse',
    'createUIMessageStreamResponse',
    make =>
      (options: Options = {}) =>
        make({ ...responseInit(options), stream: chunks(options) }),
  );
  define(
    'pipeUIMessageStreamToResponse',
    'pipeUIMessageStreamToResponse',
    make =>
      (response: unknown, options: Options = {}) =>
        make({ response, ...responseInit(options), stream: chunks(options) }),
  );
  define(
    'toTextStreamResponse',
    'createTextStreamResponse',
    make =>
      (init: Options = {}) =>
        make({ ...init, stream: own.textStream }),
  );
  define(
    'pipeTextStreamToResponse',
    'pipeTextStreamToResponse',
    make =>
      (response: unknown, init: Options = {}) =>
        make({ response, ...init, stream: own.textStream }),
  );
}

/** Those options of a helper that are of its stream of chunks. */
const OF_CHUNKS = new Set([
  'originalMessages',
  'generateMessageId',
  'onStepEnd',
  'onStepFinish',
  'onEnd',
  'onFinish',
  'messageMetadata',
  'sendReasoning',
  'sendSources',
  'sendStart',
  'sendFinish',
  'onError',
  'redactToolErrors',
]);

/** What a helper passes on to the response. */
function responseInit(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !OF_CHUNKS.has(name)));
}
