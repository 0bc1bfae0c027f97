import { property, text } from '../internal/guards.js';
import type { Source } from '../recorder/metadata.js';
import type { CompleteDetails } from '../recorder/turn-options.js';
import { readFinishReason, readUsage } from './model-spec.js';
import { readAnswer } from './prompt.js';
import { isToolResult } from './tool-calls.js';

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
  const calls = steps.map(toolCalls);
  const ran = ranToolCalls(value);
  const pending = (calls.at(-1) ?? []).filter(call => !ran.has(idOf(call)));
  return {
    content: steps.length > 0 ? content : textOf(result),
    attachments: attachments.length > 0 ? attachments : undefined,
    sources: sourcesOf(parts),
    model,
    responseModel: typeof responseModel === 'string' ? responseModel : undefined,
    usage: readUsage(result.totalUsage ?? result.usage),
    finishReason: readFinishReason(result.finishReason),
    steps: steps.length || undefined,
    toolCalls: calls
      .flat()
      .filter(call => !pending.includes(call))
      .flatMap(toolName),
    ...(pending.length > 0 && { pendingToolCalls: pending.map(idOf) }),
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

/** The ids of the calls of tools in the last step that have a result: a client's, and those that wait for a person, have none. */
export function ranToolCalls(value: unknown): Set<string> {
  const steps = property(value, 'steps');
  const last = Array.isArray(steps) ? steps.at(-1) : value;
  const results = contentOf(last).filter(isToolResult);
  return new Set([...results, ...listOf(last, 'toolResults')].map(idOf));
}

function toolCalls(step: unknown): unknown[] {
  return listOf(step, 'toolCalls');
}

function toolName(call: unknown): string[] {
  const name = property(call, 'toolName');
  return typeof name === 'string' ? [name] : [];
}

function idOf(call: unknown): string {
  return String(property(call, 'toolCallId'));
}

function listOf(value: unknown, name: string): unknown[] {
  const list = property(value, name);
  return Array.isArray(list) ? list : [];
}

function textOf({ text, object }: Result): string | undefined {
  if (typeof text === 'string') return text;
  return object === undefined ? undefined : JSON.stringify(object);
}
