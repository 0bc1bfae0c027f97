import { AIMessage, AIMessageChunk } from '@langchain/core/messages';
import { ChatGenerationChunk } from '@langchain/core/outputs';
import { AzureChatOpenAI, ChatOpenAI } from '@langchain/openai';
import { describe, expect, it } from 'vitest';
import { LlmCall, type LlmStart } from '../../src/langchain/llm-call.js';
import { scriptedModel } from '../support/scripted-model.js';
import { drain, handlerOn } from './support.js';

// How the packages themselves say it is shown in test/langchain-packages.

const serialised = (type: string, name: string, kwargs: object = {}) => ({
  lc: 1,
  type: 'constructor',
  id: ['langchain', 'chat_models', type, name],
  kwargs,
});

function started(start: Partial<LlmStart>) {
  return new LlmCall({ metadata: {}, extraParams: {}, visible: true, reaches: 'reader', ...start });
}

/** A call that ended with this message. */
function ended(
  message: object,
  { info, llmOutput, ...start }: Partial<LlmStart> & { info?: object; llmOutput?: object } = {},
) {
  const call = started(start);
  call.end({ generations: [[{ text: '', message, generationInfo: info }]], llmOutput });
  return call;
}

const said = (fields: object) => new AIMessage({ content: 'Hello', ...fields } as never);
const merged = (fields: object) => new AIMessageChunk({ content: 'Hello', ...fields } as never);

describe('the model that was asked for', () => {
  it.each<[name: string, start: Partial<LlmStart>, model: string | undefined]>([
    ['LangChain’s own name for it', { metadata: { ls_model_name: 'gpt-5' } }, 'gpt-5'],
    ['a parameter', { extraParams: { invocation_params: { model_name: 'gpt-5' } } }, 'gpt-5'],
    ['a field of the model', { llm: serialised('x', 'ChatX', { model_id: 'x-1' }) }, 'x-1'],
    [
      'Azure’s deployment, where the package names its default',
      {
        llm: serialised('azure_openai', 'AzureChatOpenAI', { deployment_name: 'mine' }),
        metadata: { ls_provider: 'azure', ls_model_name: 'gpt-3.5-turbo' },
      },
      'mine',
    ],
    [
      'the model that Azure was given beside a deployment',
      {
        llm: serialised('azure_openai', 'AzureChatOpenAI', { deployment_name: 'mine', model: 'gpt-5' }),
        metadata: { ls_provider: 'azure', ls_model_name: 'gpt-5' },
      },
      'gpt-5',
    ],
    [
      'nothing, where Azure’s deployment is not said',
      {
        llm: serialised('openai', 'ChatOpenAI'),
        metadata: { ls_provider: 'azure', ls_model_name: 'gpt-3.5-turbo' },
      },
      undefined,
    ],
    [
      'OpenAI’s own default',
      {
        llm: serialised('openai', 'ChatOpenAI'),
        metadata: { ls_provider: 'openai', ls_model_name: 'gpt-3.5-turbo' },
      },
      'gpt-3.5-turbo',
    ],
    ['nothing', { llm: undefined, metadata: null, extraParams: undefined }, undefined],
  ])('is %s', (_, start, model) => {
    expect(started(start).model).toBe(model);
  });
});

describe('the provider', () => {
  it.each<[name: string, start: Partial<LlmStart>, atTheEnd: string | undefined, provider: string | undefined]>([
    [
      'LangChain’s own name for it, whatever stands in the message',
      { metadata: { ls_provider: 'google_genai' } },
      'google',
      'google_genai',
    ],
    [
      'the package that inherits OpenAI’s name',
      { llm: serialised('deepseek', 'ChatDeepSeek'), metadata: { ls_provider: 'openai' } },
      'deepseek',
      'deepseek',
    ],
    [
      'OpenAI, by a class of the app’s own',
      { llm: serialised('openai', 'Mine'), metadata: { ls_provider: 'openai' } },
      'openai',
      'openai',
    ],
    ['what the message says, where nothing else is known', {}, 'openai', 'openai'],
    ['unknown', {}, undefined, undefined],
  ])('is %s, and the same whatever the end', (_, start, model_provider, provider) => {
    expect(ended(said({ response_metadata: { model_provider } }), start).details.provider).toBe(provider);
    if (Object.keys(start).length === 0) return;
    const failed = started(start);
    expect(failed.details.provider).toBe(provider);
    failed.fail();
    expect(failed.details.provider).toBe(provider);
  });
});

describe('the model that answered', () => {
  it.each<[name: string, call: () => LlmCall, model: string | undefined]>([
    ['in the generation', () => ended(merged({}), { info: { model_name: 'gpt-x' } }), 'gpt-x'],
    ['in the generation, by another name', () => ended(merged({}), { info: { model: 'mistral' } }), 'mistral'],
    ['in the response', () => ended(said({ response_metadata: { model_name: 'gpt-x' } })), 'gpt-x'],
    ['in what else the message has', () => ended(merged({ additional_kwargs: { model: 'claude' } })), 'claude'],
    ['in the output', () => ended(said({}), { llmOutput: { model: 'gemini' } }), 'gemini'],
    ['twice, in two chunks', () => ended(merged({ response_metadata: { model_name: 'gpt-xgpt-x' } })), 'gpt-x'],
    ['in each of many chunks', () => ended(merged({ response_metadata: { model: 'm-1'.repeat(40) } })), 'm-1'],
    [
      'in the generation once, and twice in the message',
      () => ended(merged({ response_metadata: { model_name: 'gpt-xgpt-x' } }), { info: { model_name: 'gpt-x' } }),
      'gpt-x',
    ],
    [
      'as a name that repeats itself',
      () => ended(merged({ response_metadata: { model: 'abab' } }), { metadata: { ls_model_name: 'abab' } }),
      'abab',
    ],
    ['as such a name, in a whole message', () => ended(said({ response_metadata: { model: 'abab' } })), 'abab'],
    ['nowhere', () => ended(said({})), undefined],
  ])('is named once, where it stands %s', (_, call, model) => {
    expect(call().details.responseModel).toBe(model);
  });

  it('is known of a failed call, if its first chunk has named it', () => {
    const call = started({});
    const message = new AIMessageChunk({ content: '', additional_kwargs: { model: 'claude' } });
    call.token('', undefined, { chunk: new ChatGenerationChunk({ text: '', message }) });
    call.token('He', undefined, {
      chunk: new ChatGenerationChunk({ text: 'He', message: new AIMessageChunk('He') }),
    });
    expect(call.details.responseModel).toBe('claude');
    call.fail();
    expect(call.details).toMatchObject({ responseModel: 'claude', finishReason: undefined });
  });
});

describe('the reason to stop', () => {
  it.each<[name: string, message: object, info: object | undefined, reason: string | undefined]>([
    ['OpenAI’s', said({}), { finish_reason: 'length' }, 'length'],
    ['OpenAI’s, in two chunks', merged({ response_metadata: { finish_reason: 'stopstop' } }), undefined, 'stop'],
    ['Google’s', merged({}), { finishReason: 'MAX_TOKENS' }, 'MAX_TOKENS'],
    ['Anthropic’s', said({ response_metadata: { stop_reason: 'end_turn' } }), undefined, 'end_turn'],
    ['Anthropic’s, streamed', merged({ additional_kwargs: { stop_reason: 'max_tokens' } }), undefined, 'max_tokens'],
    ['Bedrock’s', said({ response_metadata: { stopReason: 'end_turn' } }), undefined, 'end_turn'],
    [
      'Bedrock’s, streamed',
      merged({ response_metadata: { messageStop: { stopReason: 'tool_use' } } }),
      undefined,
      'tool_use',
    ],
    ['Ollama’s', said({ response_metadata: { done_reason: 'stop' } }), undefined, 'stop'],
    [
      'of a response that is complete',
      said({ response_metadata: { status: 'completed', incomplete_details: null } }),
      {},
      'completed',
    ],
    [
      'of a response that is not',
      said({ response_metadata: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } } }),
      {},
      'max_output_tokens',
    ],
    ['of nothing, by a status of another kind', said({ response_metadata: { status: 'success' } }), {}, undefined],
  ])('is found: %s', (_, message, info, reason) => {
    expect(ended(message, info ? { info } : {}).details.finishReason).toBe(reason);
  });
});

describe('the tokens', () => {
  const counted = { inputTokens: 3, outputTokens: 2, totalTokens: 5 };

  it.each<[name: string, message: object, llmOutput: object | undefined, usage: object]>([
    [
      'the message’s',
      said({
        usage_metadata: {
          input_tokens: 3,
          output_tokens: 2,
          total_tokens: 5,
          input_token_details: { cache_read: 1 },
          output_token_details: { reasoning: 1 },
        },
      }),
      undefined,
      { ...counted, cachedInputTokens: 1, reasoningTokens: 1 },
    ],
    [
      'Groq’s, streamed, which LangChain has added up',
      merged({
        response_metadata: {
          usage: { input_tokens: 3, output_tokens: 2, total_tokens: 10, prompt_tokens: 3, completion_tokens: 2 },
          x_groq: { usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } },
        },
      }),
      undefined,
      { ...counted, totalTokens: undefined },
    ],
    [
      'the provider’s own words',
      merged({
        response_metadata: {
          usage: {
            prompt_tokens: 3,
            completion_tokens: 2,
            total_tokens: 5,
            prompt_tokens_details: { cached_tokens: 1 },
            completion_tokens_details: { reasoning_tokens: 1 },
          },
        },
      }),
      undefined,
      { ...counted, cachedInputTokens: 1, reasoningTokens: 1, totalTokens: undefined },
    ],
    ['an older model’s', said({}), { tokenUsage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } }, counted],
    [
      'the output’s, where the message counts zero',
      said({ usage_metadata: { input_tokens: 0, output_tokens: 0, total_tokens: 0 } }),
      { tokenUsage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } },
      counted,
    ],
    ['no zeros', said({ usage_metadata: { input_tokens: 0, output_tokens: 0, total_tokens: 0 } }), undefined, {}],
    ['no estimate', said({}), { estimatedTokenUsage: { promptTokens: 3 } }, {}],
    ['no part of a count', merged({ response_metadata: { usage: { cache_read_input_tokens: 3 } } }), undefined, {}],
  ])('are %s', (_, message, llmOutput, usage) => {
    expect(ended(message, llmOutput ? { llmOutput } : {}).usage).toEqual(usage);
  });
});

describe('over the wire', () => {
  it.each(['invoked', 'streamed'])('Azure’s model is its deployment, %s', async way => {
    const server = await scriptedModel(() => ({ text: ['Hello'], model: 'gpt-5-2026' }));
    await using on = await handlerOn();
    const model = new AzureChatOpenAI({
      azureOpenAIApiKey: 'k',
      azureOpenAIBasePath: `${server.url}/openai/deployments`,
      azureOpenAIApiDeploymentName: 'mine',
      azureOpenAIApiVersion: '2024-10-21',
      maxRetries: 0,
    });
    const run = way === 'invoked' ? model.invoke('Hi', on.config) : drain(model.stream('Hi', on.config));
    await run;
    await server.close();
    expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Hello']);
    expect(on.synap.stored[1]?.metadata).toMatchObject({
      model: 'mine',
      response_model: 'gpt-5-2026',
      provider: 'azure',
    });
  });

  it('a provider whose stream breaks off is named as one that answers', async () => {
    const server = await scriptedModel(() => ({ text: ['Hel', 'lo ', 'Ada'], breakAfter: 2, delayMs: 5 }));
    await using on = await handlerOn();
    const model = new ChatOpenAI({
      model: 'gpt-5',
      apiKey: 'k',
      maxRetries: 0,
      configuration: { baseURL: server.url },
    });
    await drain(model.stream('Hi', on.config)).catch(() => {});
    await server.close();
    await on.recorder.flush();
    expect(on.synap.stored.at(-1)?.metadata).toMatchObject({ status: 'error', model: 'gpt-5', provider: 'openai' });
  });
});
