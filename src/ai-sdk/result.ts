import type { CompleteDetails } from '../recorder/turn-options.js';
import { readFinishReason, readUsage } from './model-spec.js';

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

interface Step {
  text?: unknown;
  content?: readonly ToolPart[];
  toolCalls?: readonly ToolPart[];
  toolResults?: readonly ToolPart[];
}

interface ToolPart {
  type?: unknown;
  toolCallId?: unknown;
  toolName?: unknown;
}

/** What a result says of an answer whose model was not observed. */
export function readResult(value: unknown, model: string): CompleteDetails {
  const result = (value ?? {}) as Result;
  const steps = (Array.isArray(result.steps) ? result.steps : []) as Step[];
  const responseModel = result.response?.modelId;
  const ran = ranToolCalls(value);
  const calls = steps.flatMap(step => step.toolCalls ?? []);
  const pending = (steps.at(-1)?.toolCalls ?? []).filter(({ toolCallId }) => !ran.has(String(toolCallId)));
  return {
    content: resultText(result, steps),
    model,
    responseModel: typeof responseModel === 'string' ? responseModel : undefined,
    usage: readUsage(result.totalUsage ?? result.usage),
    finishReason: readFinishReason(result.finishReason),
    steps: steps.length || undefined,
    toolCalls: calls.filter(call => !pending.includes(call)).flatMap(({ toolName }) => String(toolName ?? '') || []),
    ...(pending.length > 0 && { pendingToolCalls: pending.map(({ toolCallId }) => String(toolCallId)) }),
  };
}

/** The ids of the calls of tools in the last step that have a result: a client's, and those that wait for a person, have none. */
export function ranToolCalls(value: unknown): Set<string> {
  const { steps } = (value ?? {}) as Result;
  const last = ((Array.isArray(steps) ? steps.at(-1) : value) ?? {}) as Step;
  const parts = (last.content ?? []).filter(({ type }) => type === 'tool-result' || type === 'tool-error');
  return new Set([...parts, ...(last.toolResults ?? [])].map(({ toolCallId }) => String(toolCallId)));
}

function resultText(result: Result, steps: readonly Step[]): string | undefined {
  if (steps.length > 0) return steps.map(({ text }) => (typeof text === 'string' ? text : '')).join('');
  if (typeof result.text === 'string') return result.text;
  return result.object === undefined ? undefined : JSON.stringify(result.object);
}
