import { ChatOpenAI } from '@langchain/openai';
import { itHoldsFor } from './contract.js';
import { completions, responses } from './openai-wire.js';

const tokens = {
  input_tokens: 11,
  output_tokens: 7,
  total_tokens: 18,
  cached_input_tokens: 3,
  reasoning_tokens: 2,
};

const make = (url: string, useResponsesApi: boolean) =>
  new ChatOpenAI({ model: 'gpt-5', apiKey: 'k', maxRetries: 0, useResponsesApi, configuration: { baseURL: url } });

itHoldsFor('Chat Completions', {
  wire: completions('gpt-5-2026'),
  make: url => make(url, false),
  model: 'gpt-5',
  provider: 'openai',
  responseModel: { invoked: 'gpt-5-2026', streamed: 'gpt-5-2026', events: 'gpt-5-2026' },
  finish: { whole: 'stop', tools: 'tool_calls', length: 'length', filter: 'content_filter' },
  tokens,
});

itHoldsFor('Responses', {
  wire: responses('gpt-5-2026'),
  make: url => make(url, true),
  model: 'gpt-5',
  provider: 'openai',
  responseModel: { invoked: 'gpt-5-2026', streamed: 'gpt-5-2026', opening: 'gpt-5-2026', events: 'gpt-5-2026' },
  finish: { whole: 'completed', tools: 'completed', length: 'max_output_tokens', filter: 'content_filter' },
  tokens,
  thinks: true,
});
