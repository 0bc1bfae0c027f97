import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { trees } from './trees.js';

// OpenTelemetry's own SDK: in AI SDK 7 it takes a package that listens to the SDK.
const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();

globalThis.neighbour = {
  async start(ai) {
    if (!ai.registerTelemetry) return;
    const { OpenTelemetry } = await import('@ai-sdk/otel');
    ai.registerTelemetry(new OpenTelemetry());
  },
  inCase: (name, fn) =>
    trace.getTracer('app').startActiveSpan(`case ${name}`, span => Promise.resolve(fn()).finally(() => span.end())),
  spans: () =>
    trees(
      exporter.getFinishedSpans().map(span => ({
        id: span.spanContext().spanId,
        parent: span.parentSpanContext?.spanId,
        name: span.name,
        failed: span.status.code === 2,
        keys: Object.keys(span.attributes),
      })),
    ),
};
