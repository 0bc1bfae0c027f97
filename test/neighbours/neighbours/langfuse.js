import './otel.js';
import { CallbackHandler } from '@langfuse/langchain';

// Its spans go to whatever OpenTelemetry has for an exporter.
globalThis.neighbour = { ...globalThis.neighbour, handlers: () => [new CallbackHandler()] };
