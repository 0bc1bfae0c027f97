import { AzureChatOpenAI } from '@langchain/openai';
import { itHoldsFor } from './contract.js';
import { completions, responses } from './openai-wire.js';

const common = {
  model: 'my-deployment',
  provider: 'azure',
  tokens: { input_tokens: 11, output_tokens: 7, total_tokens: 18, cached_input_tokens: 3, reasoning_tokens: 2 },
  // With tools, the package serialises the model without its deployment.
  modelWithTools: undefined,
};

const make = (url: string, useResponsesApi: boolean) =>
  new AzureChatOpenAI({
    azureOpenAIApiKey: 'k',
    azureOpenAIEndpoint: url,
    azureOpenAIApiDeploymentName: 'my-deployment',
    azureOpenAIApiVersion: '2024-10-21',
    maxRetries: 0,
    useResponsesApi,
  });

itHoldsFor('Chat Completions of Azure', {
  ...common,
  wire: completions('gpt-5-2026'),
  make: url => make(url, false),
  responseModel: { invoked: 'gpt-5-2026', streamed: 'gpt-5-2026', events: 'gpt-5-2026' },
  finish: { whole: 'stop', tools: 'tool_calls', length: 'length', filter: 'content_filter' },
});

itHoldsFor('Responses of Azure', {
  ...common,
  wire: responses('gpt-5-2026'),
  make: url => make(url, true),
  responseModel: { invoked: 'gpt-5-2026', streamed: 'gpt-5-2026', opening: 'gpt-5-2026', events: 'gpt-5-2026' },
  finish: { whole: 'completed', tools: 'completed', length: 'max_output_tokens', filter: 'content_filter' },
  thinks: true,
});
