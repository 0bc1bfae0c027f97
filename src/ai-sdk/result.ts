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
  toolCalls?: readonly { toolName?: unknown }[];
}

/** What a result says of an answer whose model was not observed. */
export function readResult(value: unknown, model: string): CompleteDetails {
  const result = (value ?? {}) as Result;
  const steps = (Array.isArray(result.steps) ? result.steps : []) as Step[];
  const responseModel = result.response?.modelId;
  return {
    content: resultText(result, steps),
    model,
    responseModel: typeof responseModel === 'string' ? responseModel : undefined,
    usage: readUsage(result.totalUsage ?? result.usage),
    finishReason: readFinishReason(result.finishReason),
    steps: steps.length || undefined,
    toolCalls: steps.flatMap(step => step.toolCalls ?? []).flatMap(({ toolName }) => String(toolName ?? '') || []),
  };
}

function resultText(result: Result, steps: readonly Step[]): string | undefined {
  if (steps.length > 0) return steps.map(({ text }) => (typeof text === 'string' ? text : '')).join('');
  if (typeof result.text === 'string') return result.text;
  return result.object === undefined ? undefined : JSON.stringify(result.object);
}
