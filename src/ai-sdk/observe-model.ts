import { safely } from '../internal/guards.js';
import type { AnyLanguageModel, GenerateResult, ModelParams, StreamPart, StreamResult } from './model-spec.js';
import { overlay, withChanges } from './overlay.js';
import { withoutSynap } from './without-synap.js';

/**
 * Observes one call of a model.
 *
 * ```
 *   called ──► streaming ──► done | failed | cancelled | collected
 *        └───► generated | rejected
 * ```
 */
export interface CallListener {
  /** Runs the call itself, in whatever scope the listener wants around it. */
  run<T>(call: () => T): T;
  /** The call has given a stream. */
  streaming(): void;
  /** The next part is asked for. */
  asked(): void;
  part(part: StreamPart): void;
  done(): void;
  /** The stream broke. */
  failed(error: unknown): void;
  /** The consumer wants no more of it. */
  cancelled(reason: unknown): void;
  /** The stream was garbage-collected before any of these: nobody will ever read it on. */
  collected(): void;
  generated(result: GenerateResult): void;
  /** The call gave neither a stream nor a result. */
  rejected(error: unknown): void;
}

/** How one call of a model ended, as its tap saw it. */
export type CallEnd =
  | {
      readonly type: 'done';
      readonly finishReason: string | undefined;
      readonly error: unknown;
    }
  | { readonly type: 'failed'; readonly error: unknown }
  | { readonly type: 'cancelled'; readonly error: unknown }
  | { readonly type: 'rejected'; readonly error: unknown };

/** Opens a listener for a call; undefined when nobody listens to this one. */
export type Listen = (model: AnyLanguageModel, params: ModelParams) => CallListener | undefined;

type Method = (this: unknown, ...args: never[]) => unknown;

/**
 * The model with a tap on its two calls, which takes `providerOptions.synap` out of what the provider gets.
 *
 * It is an overlay, because everything else must stay: its class, its specification's version, properties nobody knows
 * of. Others do the same as we: an APM replaces `doStream` of the model that the SDK was given. What they put there is
 * what the tap calls from then on, and the app's own model stays as it is. What they replaced was a tap, too; its
 * listener is told apart by the scope that it runs in, so that one call is observed once.
 *
 * An exception in a listener goes no further.
 */
export function tapModel<M extends object>(model: M, listen: Listen): M {
  const standIns = new WeakMap<Method, Method>();
  const made = new WeakSet<Method>();
  const standInFor = (method: Method, call: (receiver: unknown, args: unknown[]) => unknown): Method => {
    // Who takes a patch back writes what stood there before.
    if (made.has(method)) return method;
    const known = standIns.get(method) ?? standIn(method, call);
    standIns.set(method, known);
    made.add(known);
    return known;
  };

  const tapped: M = overlay(model, undefined, {
    get(property, value, patched) {
      if (typeof value !== 'function' || property === 'constructor') return value;
      const method = value as Method;
      // A method of the model's own is called on the model: it may use private fields, which an overlay lacks.
      const call = (receiver: unknown, args: unknown[]) =>
        Reflect.apply(method, receiver === tapped && !patched ? model : receiver, args as never[]);
      const tap = property === 'doGenerate' ? generate : property === 'doStream' ? stream : undefined;
      if (tap)
        return standInFor(method, (receiver, [params, ...rest]) =>
          tap(
            model as AnyLanguageModel,
            params as ModelParams,
            listen,
            params => call(receiver, [params, ...rest]) as PromiseLike<never>,
          ),
        );
      return patched ? value : standInFor(method, call);
    },
    // A setting of the model's, such as its temperature, is the app's to change; its methods are not replaced for good.
    writesThrough: property =>
      Reflect.has(model, property) && typeof safely(() => Reflect.get(model, property, model)) !== 'function',
  });
  return tapped;
}

/** A function in the place of another, with the same name, length and properties (a mock's `mock`). */
export function standIn<F extends object>(fn: F, call: (receiver: unknown, args: unknown[]) => unknown): F {
  return new Proxy(fn, { apply: (_, receiver, args: unknown[]) => call(receiver, args) });
}

type Call<T> = (params: ModelParams) => PromiseLike<T>;

function generate(
  model: AnyLanguageModel,
  params: ModelParams,
  listen: Listen,
  call: Call<GenerateResult>,
): PromiseLike<GenerateResult> {
  const listener = safely(() => listen(model, params));
  return observe(
    listener,
    () => call(withoutSynap(params)),
    result => {
      safely(() => listener?.generated(result));
      return result;
    },
  );
}

function stream(
  model: AnyLanguageModel,
  params: ModelParams,
  listen: Listen,
  call: Call<StreamResult>,
): PromiseLike<unknown> {
  const listener = safely(() => listen(model, params));
  return observe(
    listener,
    () => call(withoutSynap(params)),
    result => {
      if (!listener) return result;
      safely(() => listener.streaming());
      const tapped = safely(() => tapStream(result.stream, listener));
      return tapped ? withChanges(result, { stream: tapped }) : result;
    },
  );
}

function observe<T extends object>(
  listener: CallListener | undefined,
  call: () => PromiseLike<T>,
  seen: (result: T) => T,
): PromiseLike<T> {
  if (!listener) return call();
  try {
    // Not every model that works answers with a promise.
    return Promise.resolve(listener.run(call)).then(seen, error => {
      safely(() => listener.rejected(error));
      throw error;
    });
  } catch (error) {
    safely(() => listener.rejected(error));
    throw error;
  }
}

// Workers have none before the compatibility date 2025-05-05.
const streams =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<CallListener>(listener => safely(() => listener.collected()));

/**
 * Reads a stream in passing. It pulls only when it is pulled and holds nothing back, so the source feels the consumer's
 * pace, and its cancel with the reason. (A TransformStream costs twice as much a chunk and reads one ahead; a tee reads
 * ahead without bound and swallows the cancel.)
 */
function tapStream(source: ReadableStream<StreamPart>, listener: CallListener): ReadableStream<StreamPart> {
  const reader = source.getReader();
  const token = {};
  const over = () => streams?.unregister(token);
  let controller: ReadableStreamDefaultController<StreamPart>;
  // A read that was under way when the consumer cancelled still comes back, to a stream that is closed by then.
  let cancelled = false;
  // Made once, not for every part.
  const read = ({ done, value }: { done: boolean; value?: StreamPart | undefined }) => {
    if (cancelled) return;
    if (done || value === undefined) {
      over();
      safely(() => listener.done());
      controller.close();
      return;
    }
    awaitDemand();
    try {
      listener.part(value);
    } catch {
      // As in safely(), without a function for every part.
    }
    controller.enqueue(value);
  };
  const broken = (error: unknown) => {
    if (cancelled) return;
    over();
    safely(() => listener.failed(error));
    controller.error(error);
  };
  // A promise's reactions run in the async context that they were added in. Each is added in that of the one before, and
  // so in the context of the model's call, where the SDK's tools would run without the tap, too. (A snapshot of the context
  // does the same, and makes a whole stream of 2,000 parts 5 to 10 % slower.)
  let wanted = () => {};
  const awaitDemand = () => {
    const demand = new Promise<void>(resolve => {
      wanted = resolve;
    });
    void demand.then(() => void reader.read().then(read, broken));
  };
  awaitDemand();
  const tap = new ReadableStream<StreamPart>(
    {
      start(own) {
        controller = own;
      },
      // Not answering with the promise saves a turn of the microtask queue for every part, and changes nothing: the
      // stream asks for one part a read, and each read takes the next one.
      pull() {
        listener.asked();
        wanted();
      },
      cancel(reason) {
        cancelled = true;
        over();
        safely(() => listener.cancelled(reason));
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  streams?.register(tap, listener, token);
  return tap;
}
