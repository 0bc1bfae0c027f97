import { isObject, safely } from '../internal/guards.js';
import type { AnswerText } from './answer-context.js';
import { isSameData, jsonOf } from './json-values.js';
import type { LlmCall } from './llm-call.js';
import { readMessage } from './messages.js';
import type { StepOutputs } from './step-outputs.js';

/**
 * Structured answers. Whatever way the app asks for one (a tool that the model is made to call, JSON mode, a JSON schema,
 * a parser behind the model), the answer is the JSON of the value that the app got.
 */

/** A structured answer that is the whole output, or stands in the output of `includeRaw`. */
export function structuredAnswer(value: unknown, calls: readonly LlmCall[], steps: StepOutputs): Structured {
  if (typeof value !== 'object' || value === null) return undefined;
  return answerOfRaw(value, calls, steps) ?? answerOfValue(value, calls, steps);
}

/** A value that a model, or a parser behind it, has made in this run. */
export function answerOfValue(value: unknown, calls: readonly LlmCall[], steps: StepOutputs): Structured {
  if (typeof value !== 'object' || value === null) return undefined;
  const call = callOfValue(value, calls);
  if (call) return asJson(value, call);
  const step = steps.parsedAs(value);
  return step && asJson(step.value, step.call);
}

/** The answer of an agent that was given a format: its state holds the value, whose JSON stands in no message. */
export function answerOfResponse(value: unknown, calls: readonly LlmCall[], steps: StepOutputs): Structured {
  const made = answerOfValue(value, calls, steps);
  if (made) return made;
  if (!steps.responses.some(response => response === value || isSameData(response, value))) return undefined;
  return asJson(
    value,
    calls.findLast(call => call.visible && call.state === 'done'),
  );
}

/** The call that wrote this value, as the arguments of a tool or as JSON. */
function callOfValue(value: object, calls: readonly LlmCall[]): LlmCall | undefined {
  return calls.findLast(call => call.visible && valuesOf(call).some(made => isSameData(made, value)));
}

/** A value as the text of an answer; undefined where it can't be written as JSON. */
function asJson(value: unknown, call: LlmCall | undefined): AnswerText | undefined {
  const text = safely(() => JSON.stringify(value));
  return text === undefined ? undefined : { text, call, isStructured: true };
}

type Structured = AnswerText | undefined;

// withStructuredOutput(…, { includeRaw: true }): the parsed value is null where it could not be parsed.
function answerOfRaw(value: object, calls: readonly LlmCall[], steps: StepOutputs): Structured {
  if (!isObject(value) || Object.keys(value).length !== 2 || !('parsed' in value)) return undefined;
  const raw = readMessage(value.raw);
  if (raw?.speaker !== 'ai' || value.parsed === null || value.parsed === undefined) return undefined;
  const made = answerOfValue(value.parsed, calls, steps);
  const call = calls.findLast(({ messageId }) => messageId !== undefined && messageId === raw.id);
  return made ?? asJson(value.parsed, call ?? calls.findLast(({ visible, state }) => visible && state === 'done'));
}

const valuesOfCalls = new WeakMap<LlmCall, readonly unknown[]>();

// A long text is parsed once.
function valuesOf(call: LlmCall): readonly unknown[] {
  if (call.state !== 'done') return [];
  const known = valuesOfCalls.get(call);
  if (known) return known;
  const values = call.toolArguments.length > 0 ? [...call.toolArguments] : [jsonOf(call.text)];
  valuesOfCalls.set(call, values);
  return values;
}
