import { property, text } from '../internal/guards.js';
import type { Source } from '../recorder/metadata.js';
import type { CompleteDetails } from '../recorder/turn-options.js';
import { readFinishReason, readUsage } from './model-spec.js';
import { readAnswer } from './prompt.js';

/** What a result of the SDK's functions, or the event of their end, says; of any major. */
interface Result {
  text?: unknown;
  object?: unknown;
  steps?: unknown;
  finishReason?: unknown;
  usage?: unknown;
  totalUsage?: unknown;
  response?: { modelId?: unknown } | undefined;
}

/** What a result says of an answer whose model was not observed. */
export function readResult(value: unknown, model: string): CompleteDetails {
  const result = (value ?? {}) as Result;
  const steps = Array.isArray(result.steps) ? result.steps : [];
  const parts = steps.flatMap(step => [{ type: 'step-start' }, ...contentOf(step)]);
  const { content, attachments } = readAnswer(parts);
  const responseModel = result.response?.modelId;
  return {
    content: steps.length > 0 ? content : textOf(result),
    attachments: attachments.length > 0 ? attachments : undefined,
    sources: sourcesOf(parts),
    model,
    responseModel: typeof responseModel === 'string' ? responseModel : undefined,
    usage: readUsage(result.totalUsage ?? result.usage),
    finishReason: readFinishReason(result.finishReason),
    steps: steps.length || undefined,
    toolCalls: steps.flatMap(toolNames),
  };
}

/** What a step has generated, in order; of one that does not say, its text. */
function contentOf(step: unknown): unknown[] {
  const content = property(step, 'content');
  return Array.isArray(content) ? content : [{ type: 'text', text: property(step, 'text') }];
}

function sourcesOf(parts: readonly unknown[]): Source[] | undefined {
  const sources = parts.filter(part => property(part, 'type') === 'source');
  if (sources.length === 0) return undefined;
  return sources.map(source => ({ url: text(property(source, 'url')), title: text(property(source, 'title')) }));
}

function toolNames(step: unknown): string[] {
  const calls = property(step, 'toolCalls');
  return Array.isArray(calls)
    ? calls.map(call => property(call, 'toolName')).filter(name => typeof name === 'string')
    : [];
}

function textOf({ text, object }: Result): string | undefined {
  if (typeof text === 'string') return text;
  return object === undefined ? undefined : JSON.stringify(object);
}
