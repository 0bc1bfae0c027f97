import { AsyncLocalStorage } from 'node:async_hooks';
import { property, safely } from '../internal/guards.js';
import type { CoreClasses } from './core-copies.js';
import { patchMethod } from './patch-method.js';

/** Who wants to know what a model's stream has given to whoever reads it. */
export interface StreamListener {
  /** A message has been given out, or a text where the model is one for texts. */
  given(piece: unknown): void;
}

/** One stream of a model's. Which call it belongs to is known when the model tells that it starts. */
interface ModelStream {
  listener: StreamListener | undefined;
}

/** What the async context of a stream holds. Its connection may live on, and must not hold the call. */
interface Starting {
  stream: ModelStream | undefined;
}

const starting = new AsyncLocalStorage<Starting>();
const patched = new WeakSet<object>();

/** A model tells, here and now, that it starts. Where it is streamed, `listener` is told what its stream gives. */
export function listenToStartingStream(listener: StreamListener): void {
  const context = starting.getStore();
  if (context?.stream) context.stream.listener = listener;
  if (context) context.stream = undefined;
}

/**
 * Lets {@link listenToStartingStream} know the streams of models. Most providers give a piece out before they report it. So a reader
 * that aborts or leaves has one piece more than LangChain has told, and only the stream itself knows it. The reader gets what it
 * would get, at the same time.
 */
export function watchModelStreams({ BaseChatModel, BaseLLM }: CoreClasses): void {
  for (const model of [BaseChatModel, BaseLLM])
    patchMethod(
      property(model, 'prototype'),
      '_streamIterator',
      patched,
      own =>
        function (...args) {
          const iterator = own.apply(this, args);
          safely(() => watch(iterator as AsyncGenerator));
          return iterator;
        },
    );
}

function watch(iterator: AsyncGenerator): void {
  const stream: ModelStream = { listener: undefined };
  const { next } = iterator;
  let isStarted = false;
  iterator.next = (...args) => {
    const result = isStarted ? next.apply(iterator, args) : starting.run({ stream }, () => next.apply(iterator, args));
    isStarted = true;
    // Registered before the reader's own reaction, so that the piece is known by the time it can be read.
    result.then(given => safely(() => pass(stream, given)), ignore);
    return result;
  };
}

function pass(stream: ModelStream, { done, value }: IteratorResult<unknown>): void {
  if (done !== true) stream.listener?.given(value);
}

function ignore(): void {}
