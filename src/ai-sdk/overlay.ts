/** What an {@link overlay} does beside what it overlays. */
export interface OverlayHooks {
  /** What is answered for a property that holds `value`. `patched`: it was put there from outside. */
  get?(property: PropertyKey, value: unknown, patched: boolean): unknown;
  /** How a property of the object underneath is read. Default: as the language does. */
  reads?(property: PropertyKey): unknown;
  /** Whether a write to this property belongs to the object underneath. Default: none does. */
  writesThrough?(property: PropertyKey): boolean;
}

// console.log() looks past a proxy at its target: it should show the object that the overlay stands for.
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * The very same object to whoever reads it, but with properties of its own in front, and never written to.
 *
 * A copy (`{ ...source }`) loses what is inherited, not enumerable or behind a getter, and a getter or method of a class
 * loses its private fields. Here each read goes to the source itself. Writes, definitions and deletions by others stay on
 * the overlay, so that the source keeps being what the app made it.
 */
export function overlay<T extends object>(source: T, own: object | undefined, hooks: OverlayHooks = {}): T {
  const layer: object = Object.defineProperties(Object.create(null), Object.getOwnPropertyDescriptors(own ?? {}));
  const removed = new Set<PropertyKey>();
  const target: object = Object.create(Object.getPrototypeOf(source), {
    [INSPECT]: { value: () => source, configurable: true },
  });
  // What somebody has locked or frozen must stay what it is: the language checks that of a proxy.
  const locked = new Set<PropertyKey>();
  let isFrozen = false;
  const isFinal = (property: PropertyKey) => isFrozen || locked.has(property);

  const ownDescriptor = (property: PropertyKey): PropertyDescriptor | undefined => {
    const patch = Object.getOwnPropertyDescriptor(layer, property);
    const descriptor = patch ?? (removed.has(property) ? undefined : Object.getOwnPropertyDescriptor(source, property));
    if (!descriptor) return undefined;
    const { enumerable, writable, set } = descriptor;
    const get = () => (proxy as Record<PropertyKey, unknown>)[property];
    return 'value' in descriptor
      ? { value: get(), writable, enumerable, configurable: true }
      : { get, set, enumerable, configurable: true };
  };
  const keys = () => {
    const kept = Reflect.ownKeys(source).filter(key => !removed.has(key));
    return [...new Set([...kept, ...Reflect.ownKeys(layer)])];
  };

  const proxy: T = new Proxy(target as T, {
    get(_, property, receiver) {
      if (isFinal(property)) return Reflect.get(target, property, receiver);
      const patched = Object.hasOwn(layer, property);
      if (!patched && removed.has(property)) return undefined;
      // The source itself is the receiver: a getter of a class may use private fields, which a proxy lacks.
      const value: unknown = patched
        ? Reflect.get(layer, property, receiver)
        : hooks.reads
          ? hooks.reads(property)
          : Reflect.get(source, property, source);
      return hooks.get ? hooks.get(property, value, patched) : value;
    },
    has: (_, property) => Object.hasOwn(layer, property) || (!removed.has(property) && Reflect.has(source, property)),
    set(_, property, value, receiver) {
      if (receiver !== proxy) return Reflect.set(source, property, value, receiver);
      if (isFinal(property)) return Reflect.set(target, property, value);
      if (Object.hasOwn(layer, property)) return Reflect.set(layer, property, value);
      if (hooks.writesThrough?.(property)) return Reflect.set(source, property, value, source);
      const enumerable = Object.getOwnPropertyDescriptor(source, property)?.enumerable ?? true;
      return Reflect.defineProperty(layer, property, { value, enumerable, writable: true, configurable: true });
    },
    defineProperty(_, property, descriptor) {
      if (isFinal(property)) return Reflect.defineProperty(target, property, descriptor);
      const known = ownDescriptor(property);
      const sameKind = known && 'value' in known === !('get' in descriptor || 'set' in descriptor);
      const rest = sameKind ? known : { enumerable: known?.enumerable ?? false };
      Reflect.defineProperty(layer, property, { ...rest, ...descriptor, configurable: true });
      if (descriptor.configurable !== false) return true;
      locked.add(property);
      return Reflect.defineProperty(target, property, { ...rest, ...descriptor });
    },
    deleteProperty(_, property) {
      if (isFinal(property)) return Reflect.deleteProperty(target, property);
      if (Reflect.has(source, property)) removed.add(property);
      return Reflect.deleteProperty(layer, property);
    },
    getOwnPropertyDescriptor: (_, property) =>
      isFinal(property) ? Object.getOwnPropertyDescriptor(target, property) : ownDescriptor(property),
    ownKeys: () => (isFrozen ? Reflect.ownKeys(target) : keys()),
    preventExtensions() {
      Reflect.deleteProperty(target, INSPECT);
      for (const key of keys()) Object.defineProperty(target, key, ownDescriptor(key) ?? {});
      isFrozen = true;
      return Reflect.preventExtensions(target);
    },
  });
  return proxy;
}

/**
 * An object with some properties changed, for somebody who reads it. Plain data is copied, so that it can be cloned and
 * compared as before; anything else is overlaid.
 */
export function withChanges<T extends object>(source: T, changes: object): T {
  return isPlainData(source)
    ? Object.assign(Object.create(Object.getPrototypeOf(source)), source, changes)
    : overlay(source, changes);
}

/**
 * The options of one call, each read once however often they are asked for: a getter of the app's runs as often as it
 * would without us.
 */
export function readOnce<T extends object>(options: T): T {
  if (isPlainData(options)) return options;
  const known = new Map<PropertyKey, unknown>();
  const read = (property: PropertyKey) => {
    if (!known.has(property)) known.set(property, Reflect.get(options, property, options));
    return known.get(property);
  };
  return overlay(options, undefined, { reads: read });
}

/** Whether all there is to an object is what `{ ...object }` copies. */
function isPlainData(object: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(object);
  // Each realm has an Object.prototype of its own.
  if (prototype !== null && !Object.hasOwn(prototype, 'hasOwnProperty')) return false;
  return Reflect.ownKeys(object).every(key => {
    const descriptor = Object.getOwnPropertyDescriptor(object, key);
    return descriptor !== undefined && 'value' in descriptor && descriptor.enumerable === true;
  });
}
