import { property, safely } from '../internal/guards.js';

export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Replaces a method of a class or an object of LangChain's, once, whoever else has replaced it or will. A frozen one keeps what it
 * has. Never throws.
 *
 * @param patched what has its replacement already; this is added to it
 */
export function patchMethod(
  target: unknown,
  name: string,
  patched: WeakSet<object>,
  replacement: (own: AnyFunction) => AnyFunction,
): void {
  safely(() => {
    if ((typeof target !== 'object' && typeof target !== 'function') || target === null || patched.has(target)) return;
    const own = property(target, name) as AnyFunction | undefined;
    if (typeof own !== 'function') return;
    const value = Object.defineProperties(replacement(own), {
      name: { value: own.name, configurable: true },
      length: { value: own.length, configurable: true },
    });
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
    patched.add(target);
  });
}
