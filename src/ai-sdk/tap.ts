import {
  type AnyLanguageModel,
  type GenerateResult,
  isLanguageModel,
  type ModelParams,
  type StreamPart,
} from './model.js';

/**
 * Hears one call of a model.
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

/** Opens a listener for a call; undefined when nobody listens to this one. */
export type Listen = (model: AnyLanguageModel, params: ModelParams) => CallListener | undefined;

const TAPPED = Symbol('synap-recorder.tapped');

/**
 * The model with a tap on its two calls, which takes `providerOptions.synap` out of what the provider gets.
 *
 * A Proxy, because everything else must stay: its class, its specification's version, properties nobody knows of. An
 * exception in a listener goes no further.
 */
export function tapModel<M extends object>(model: M, owner: object, listen: Listen): M {
  const bound = new Map<PropertyKey, unknown>();
  const calls: Record<string, (params: ModelParams) => unknown> = {
    doGenerate: params => generate(model as AnyLanguageModel, params, listen),
    doStream: params => stream(model as AnyLanguageModel, params, listen),
  };
  return new Proxy(tappable(model), {
    get(_, property) {
      if (property === TAPPED) return { model, owner };
      if (typeof property === 'string' && Object.hasOwn(calls, property)) return calls[property];
      // The model itself is the receiver: a getter or method of a class may use private fields, which a proxy lacks.
      const value: unknown = Reflect.get(model, property, model);
      if (typeof value !== 'function' || property === 'constructor') return value;
      if (!bound.has(property)) bound.set(property, value.bind(model));
      return bound.get(property);
    },
    set: (_, property, value) => Reflect.set(model, property, value, model),
  });
}

/** The model under a tap of the same owner (a recorder), or the model itself. */
export function untapped(model: unknown, owner: object): unknown {
  if (!isLanguageModel(model)) return model;
  const tapped = (model as { [TAPPED]?: { model: unknown; owner: object } })[TAPPED];
  return tapped?.owner === owner ? tapped.model : model;
}

/** A proxy may not hide a property that can't change. A frozen model gets a stand-in with the same class and keys. */
function tappable<M extends object>(model: M): M {
  const fixed = (name: string) => Object.getOwnPropertyDescriptor(model, name)?.configurable === false;
  if (!fixed('doGenerate') && !fixed('doStream')) return model;
  const descriptors = Object.getOwnPropertyDescriptors(model) as Record<PropertyKey, PropertyDescriptor>;
  for (const key of Reflect.ownKeys(descriptors))
    descriptors[key as string] = { ...descriptors[key], configurable: true };
  return Object.create(Object.getPrototypeOf(model), descriptors);
}

function generate(model: AnyLanguageModel, params: ModelParams, listen: Listen): PromiseLike<GenerateResult> {
  const listener = safely(() => listen(model, params));
  return observe(
    listener,
    () => model.doGenerate(withoutSynap(params)),
    result => {
      safely(() => listener?.generated(result));
      return result;
    },
  );
}

function stream(model: AnyLanguageModel, params: ModelParams, listen: Listen): PromiseLike<unknown> {
  const listener = safely(() => listen(model, params));
  return observe(
    listener,
    () => model.doStream(withoutSynap(params)),
    result => {
      if (!listener) return result;
      safely(() => listener.streaming());
      return { ...result, stream: tapStream(result.stream, listener) };
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
  const tap = new ReadableStream<StreamPart>(
    {
      start(own) {
        controller = own;
      },
      // Not answering with the promise saves a turn of the microtask queue for every part, and changes nothing: the
      // stream asks for one part a read, and each read takes the next one.
      pull() {
        reader.read().then(read, broken);
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

function withoutSynap(params: ModelParams): ModelParams {
  const providerOptions = params?.providerOptions;
  if (typeof providerOptions !== 'object' || providerOptions === null || !('synap' in providerOptions)) return params;
  const { synap: _, ...others } = providerOptions;
  return { ...params, providerOptions: Object.keys(others).length > 0 ? others : undefined };
}

/** Whatever goes wrong in recording, the app's call goes on. */
export function safely<T>(fn: () => T): T | undefined {
  try {
    return fn();
  } catch {
    return undefined;
  }
}
