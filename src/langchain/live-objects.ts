import { isObject, property } from '../internal/guards.js';
import type { CoreClasses } from './core-copies.js';
import { patchMethod } from './patch-method.js';

/** The object that each record of {@link Serializable.toJSONNotImplemented} was made of. */
const origins = new WeakMap<object, object>();
const patched = new WeakSet<object>();

/**
 * LangChain tells a handler which chain or graph starts by a record of it. Of a graph, that record holds nothing but its class.
 * From now on the graph itself can be found again by that very record, by {@link liveObject}. What an app sees stays as it is.
 */
export function rememberLiveObjects({ Serializable }: CoreClasses): void {
  patchMethod(
    property(Serializable, 'prototype'),
    'toJSONNotImplemented',
    patched,
    own =>
      function (...args) {
        const record = own.apply(this, args);
        if (isObject(record)) origins.set(record, this as object);
        return record;
      },
  );
}

/** @returns the object that a record was made of; undefined where that isn't known */
export function liveObject(record: unknown): object | undefined {
  return isObject(record) ? origins.get(record) : undefined;
}
