import { isObject, property } from '../internal/guards.js';
import type { CoreClasses } from './core-copies.js';

/** The object that each record of {@link Serializable.toJSONNotImplemented} was made of. */
const origins = new WeakMap<object, object>();
const installed = new WeakSet<object>();

type ToJson = (this: object, ...rest: unknown[]) => object;

/**
 * LangChain tells a handler which chain or graph starts by a record of it. Of a graph, that record holds nothing but its class.
 * From now on the graph itself can be found again by that very record, by {@link liveObject}. What an app sees stays as it is.
 */
export function rememberLiveObjects({ Serializable }: CoreClasses): void {
  const prototype = property(Serializable, 'prototype');
  if (typeof prototype !== 'object' || prototype === null || installed.has(prototype)) return;
  installed.add(prototype);
  const { toJSONNotImplemented: own } = prototype as { toJSONNotImplemented?: ToJson };
  if (typeof own !== 'function') return;
  const remember: ToJson = function (...rest) {
    const record = own.apply(this, rest);
    if (isObject(record)) origins.set(record, this);
    return record;
  };
  try {
    Object.defineProperty(prototype, 'toJSONNotImplemented', { value: remember, writable: true, configurable: true });
  } catch {
    // A frozen class keeps what it has: then the shape of a graph is not known.
  }
}

/** @returns the object that a record was made of; undefined where that isn't known */
export function liveObject(record: unknown): object | undefined {
  return isObject(record) ? origins.get(record) : undefined;
}
