import { ChatOpenAI } from '@langchain/openai';
import { ChatOpenRouter } from '@langchain/openrouter';
import { itHoldsFor } from './contract.js';
import { completions } from './openai-wire.js';

const common = {
  wire: completions('openai/gpt-5', { thinking: 'reasoning', finishTwice: true }),
  model: 'openai/gpt-5',
  finish: { whole: 'stop', tools: 'tool_calls', length: 'length', filter: 'content_filter' },
  tokens: { input_tokens: 11, output_tokens: 7, total_tokens: 18, cached_input_tokens: 3, reasoning_tokens: 2 },
  thinks: true,
};

itHoldsFor('OpenRouter', {
  ...common,
  make: url => new ChatOpenRouter({ model: 'openai/gpt-5', apiKey: 'k', maxRetries: 0, baseURL: url }),
  provider: 'openrouter',
  // Streamed, the package does not say it.
  responseModel: { invoked: 'openai/gpt-5', events: 'openai/gpt-5' },
});

itHoldsFor('OpenRouter by OpenAI’s package', {
  ...common,
  make: url =>
    new ChatOpenAI({
      model: 'openai/gpt-5',
      apiKey: 'k',
      maxRetries: 0,
      useResponsesApi: false,
      configuration: { baseURL: url },
    }),
  provider: 'openai',
  responseModel: { invoked: 'openai/gpt-5', streamed: 'openai/gpt-5', events: 'openai/gpt-5' },
});
