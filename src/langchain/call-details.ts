import { isObject, text } from '../internal/guards.js';
import type { Usage } from '../recorder/metadata.js';

/**
 * Where the provider packages of LangChain.js put what is known of a model's call: each table lists the places, the most
 * exact first, with the packages that use it. `test/langchain-packages` shows each of them over its real wire.
 */

/** What LangChain says of a call when it starts. */
export interface CallStartFields {
  /** The model as LangChain serialises it: its class, and the fields it was made with. */
  readonly llm?: unknown;
  readonly metadata: unknown;
  readonly extraParams: unknown;
}

/** What LangChain says of a call when it has ended, or of a piece of it. */
export interface CallResult {
  /** A generation, or a chunk of one. */
  readonly generation: unknown;
  readonly llmOutput?: unknown;
  /** The model that was asked for. */
  readonly model?: string | undefined;
}

type Field = 'info' | 'response' | 'extra' | 'output';

interface Fields extends Readonly<Record<Field, Record<string, unknown>>> {
  /** Whether they are those of a stream's chunks, put together: LangChain concatenates texts then, also those of names. */
  readonly merged: boolean;
}

/** A field, and the names under which the value stands in it. */
type Place = readonly [Field, ...string[]];

const RESPONSE_MODEL: readonly Place[] = [
  ['info', 'model_name'], // OpenAI, DeepSeek, xAI and Groq, streamed
  ['info', 'model'], // Mistral
  ['response', 'model_name'], // OpenAI, and Responses
  ['response', 'model'], // Anthropic, Google, Groq, Ollama, xAI's Responses
  ['extra', 'model'], // Anthropic, streamed
  ['output', 'model_name'],
  ['output', 'model'], // Google
];

const FINISH_REASON: readonly Place[] = [
  ['info', 'finish_reason'], // OpenAI, DeepSeek, xAI, Groq, OpenRouter
  ['info', 'finishReason'], // Google, Mistral, Cohere
  ['info', 'stop_reason'],
  ['response', 'finish_reason'], // events of version 3, whichever the package
  ['response', 'stop_reason'], // Anthropic
  ['response', 'finishReason'],
  ['response', 'stopReason'], // Bedrock
  ['response', 'messageStop', 'stopReason'], // Bedrock, streamed
  ['response', 'done_reason'], // Ollama
  ['extra', 'stop_reason'], // Anthropic, streamed
  ['extra', 'finishReason'], // Google, streamed
  ['response', 'incomplete_details', 'reason'], // Responses, of OpenAI and xAI
];

/** How a response of OpenAI's or xAI's may have ended, where that says why. */
const RESPONSES_STATUS: readonly unknown[] = ['completed', 'incomplete', 'failed', 'cancelled'];

const USAGE: readonly Place[] = [
  ['response', 'x_groq', 'usage'], // Groq, streamed
  ['response', 'usage'],
  ['response', 'tokenUsage'],
  ['output', 'tokenUsage'], // models of 0.3, and those of completions
];

const INPUT_TOKENS = ['input_tokens', 'prompt_tokens', 'promptTokens', 'inputTokens'];
const OUTPUT_TOKENS = ['output_tokens', 'completion_tokens', 'completionTokens', 'outputTokens'];
const TOTAL_TOKENS = ['total_tokens', 'totalTokens'];

/** Where the packages put the name of the model that is asked for. */
const MODEL_PARAMS = ['model', 'model_name', 'modelName', 'model_id', 'modelId'];

/** What AzureChatOpenAI says of its model where it was given a deployment only. */
const AZURE_DEFAULT_MODEL = 'gpt-3.5-turbo';

/** The reasons to stop that mean that somebody did not let the model answer. */
const FILTERED: ReadonlySet<string> = new Set([
  'content_filter', // OpenAI, Azure, Responses
  'content-filter',
  'content_filtered', // Bedrock
  'guardrail_intervened',
  'refusal', // Anthropic
  'safety', // Google, as the next ones
  'image_safety',
  'prohibited_content',
  'blocklist',
  'spii',
  'recitation',
  'error_toxic', // Cohere
]);

/** The model that was asked for. For Azure, its deployment where nothing else names it. */
export function modelOf({ llm, metadata, extraParams }: CallStartFields): string | undefined {
  const { ls_model_name: named, ls_provider: provider } = fieldsOf(metadata);
  const kwargs = fieldsOf(fieldsOf(llm).kwargs);
  const deployment = text(kwargs.deployment_name) ?? text(kwargs.azure_openai_api_deployment_name);
  const given = firstText(kwargs, MODEL_PARAMS);
  const model = text(named) ?? firstText(fieldsOf(fieldsOf(extraParams).invocation_params), MODEL_PARAMS) ?? given;
  const isAzure = deployment !== undefined || provider === 'azure';
  // With tools, Azure's model is serialised without its deployment: then nothing is known of it.
  return isAzure && given === undefined && model === AZURE_DEFAULT_MODEL ? deployment : model;
}

/**
 * Whose model it is: what LangChain says at the start, since what it says at the end is another name with some packages
 * (`google_genai` and `google`), the wire's with others, and missing where the call fails.
 */
export function providerOf({ llm, metadata }: CallStartFields): string | undefined {
  const { id } = fieldsOf(llm);
  const provider = text(fieldsOf(metadata).ls_provider);
  // `langchain`, `chat_models`, and the package's own type: DeepSeek's, say, which inherits OpenAI's name for the rest.
  const type: unknown = Array.isArray(id) && id.length > 3 ? id.at(-2) : undefined;
  const isInherited = provider === 'openai' && typeof type === 'string' && !type.includes('openai');
  return isInherited ? type : provider;
}

/** Whose model it was, where the start has not said it. */
export function providerOfResult({ generation }: CallResult): string | undefined {
  return text(fieldsOfResult({ generation }).response.model_provider);
}

/** The model that answered, as the provider names it. */
export function responseModelOf(result: CallResult): string | undefined {
  return firstOf(RESPONSE_MODEL, fieldsOfResult(result), result.model);
}

/** Why the model stopped, in the provider's words. */
export function finishReasonOf(result: CallResult): string | undefined {
  const fields = fieldsOfResult(result);
  const { status } = fields.response;
  return firstOf(FINISH_REASON, fields, undefined) ?? (RESPONSES_STATUS.includes(status) ? text(status) : undefined);
}

/** Whether the model was kept from answering. */
export function isFiltered(finishReason: string | undefined): boolean {
  return finishReason !== undefined && FILTERED.has(finishReason.toLowerCase());
}

/** The tokens of a call. An estimate (`estimatedTokenUsage`) is no count. */
export function usageOf(result: CallResult): Usage {
  const fields = fieldsOfResult(result);
  const message = fieldsOf(fieldsOf(result.generation).message);
  const counted = countsOf(message.usage_metadata);
  if (counted !== undefined) return counted;
  const found = USAGE.map(place => countsOf(valueAt(place, fields))).find(usage => usage !== undefined) ?? {};
  // LangChain adds up what several chunks say in the provider's words, as if each had said a part of it.
  return fields.merged ? { ...found, totalTokens: undefined } : found;
}

/** The tokens in one of those places; undefined where there are none: some packages count zero where they know of none. */
export function countsOf(value: unknown): Usage | undefined {
  const usage = fieldsOf(value);
  const inputTokens = firstCount(usage, INPUT_TOKENS);
  const outputTokens = firstCount(usage, OUTPUT_TOKENS);
  if (!inputTokens && !outputTokens) return undefined;
  const input = detailsOf(usage, ['input_token_details', 'input_tokens_details', 'prompt_tokens_details']);
  const output = detailsOf(usage, ['output_token_details', 'output_tokens_details', 'completion_tokens_details']);
  return {
    inputTokens,
    outputTokens,
    totalTokens: firstCount(usage, TOTAL_TOKENS),
    cachedInputTokens: firstCount(input, ['cache_read', 'cached_tokens']),
    reasoningTokens: firstCount(output, ['reasoning', 'reasoning_tokens']),
  };
}

function detailsOf(usage: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return names.map(name => usage[name]).find(isObject) ?? {};
}

function fieldsOfResult({ generation, llmOutput }: CallResult): Fields {
  const { message: raw, generationInfo } = fieldsOf(generation);
  const message = fieldsOf(raw);
  return {
    info: fieldsOf(generationInfo),
    response: fieldsOf(message.response_metadata),
    extra: fieldsOf(message.additional_kwargs),
    output: fieldsOf(llmOutput),
    merged: typeof message.concat === 'function',
  };
}

function firstOf(places: readonly Place[], fields: Fields, known: string | undefined): string | undefined {
  for (const place of places) {
    const found = text(valueAt(place, fields));
    if (found !== undefined) return fields.merged ? once(found, known) : found;
  }
  return undefined;
}

function valueAt([field, ...path]: Place, fields: Fields): unknown {
  return path.reduce<unknown>((value, name) => fieldsOf(value)[name], fields[field]);
}

/** The text of which a text is the repetition, as where several chunks have said the same; itself, if it is none. */
function once(said: string, known: string | undefined): string {
  if (said === known) return said;
  const period = `${said}${said}`.indexOf(said, 1);
  return said.slice(0, period);
}

function firstText(fields: Record<string, unknown>, names: readonly string[]): string | undefined {
  return names.map(name => text(fields[name])).find(value => value !== undefined);
}

function firstCount(fields: Record<string, unknown>, names: readonly string[]): number | undefined {
  return names.map(name => fields[name]).find(value => typeof value === 'number' && Number.isFinite(value)) as
    | number
    | undefined;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}
