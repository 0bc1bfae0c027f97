import { property } from '../internal/guards.js';

/** As much of `@opentelemetry/api` as is used. */
export interface OpenTelemetryApi {
  readonly trace: { getActiveSpan(): { spanContext(): { readonly traceId: string } } | undefined };
}

// Where every copy of `@opentelemetry/api` 1.x registers what the app has set up, and the name it gives to the active span.
const REGISTRY = Symbol.for('opentelemetry.js.api.1');
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN');

/**
 * The id of the trace that the running code belongs to; undefined outside of one. Nothing is imported: the app hands over its
 * `@opentelemetry/api`, or what that has registered is read.
 *
 * @param api `false` for no trace ids
 */
export function activeTraceId(api: OpenTelemetryApi | false | undefined): string | undefined {
  if (api === false) return undefined;
  try {
    const id = property((api ? api.trace.getActiveSpan() : registeredSpan())?.spanContext(), 'traceId');
    return typeof id === 'string' && /^(?!0{32})[0-9a-f]{32}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

interface Registry {
  readonly context?: { active(): { getValue(key: symbol): ReturnType<OpenTelemetryApi['trace']['getActiveSpan']> } };
}

function registeredSpan(): ReturnType<OpenTelemetryApi['trace']['getActiveSpan']> {
  return (globalThis as { [REGISTRY]?: Registry })[REGISTRY]?.context?.active().getValue(SPAN);
}
