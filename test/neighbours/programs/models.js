/** A model as an app writes one itself: a plain object around a provider's. It notes how deep the stack is at a call. */
export function plainModel(inner, depths) {
  return {
    specificationVersion: inner.specificationVersion,
    provider: inner.provider,
    modelId: inner.modelId,
    supportedUrls: {},
    doGenerate(options) {
      depths.push(stackDepth());
      return inner.doGenerate(options);
    },
    doStream: options => inner.doStream(options),
  };
}

/** The own properties of an object, or, with an earlier state of it, those that are no longer what they were. */
export function ownState(object, before) {
  const now = new Map(Reflect.ownKeys(object).map(key => [key, object[key]]));
  if (!before) return now;
  const keys = new Set([...before.keys(), ...now.keys()]);
  return [...keys].filter(key => before.get(key) !== now.get(key)).map(String);
}

/** How many calls stand on the stack. */
function stackDepth() {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Infinity;
  const depth = new Error('depth').stack.split('\n').length;
  Error.stackTraceLimit = stackTraceLimit;
  return depth;
}
