import { ChatMistralAI } from '@langchain/mistralai';
import { itHoldsFor } from './contract.js';
import { completions } from './openai-wire.js';

itHoldsFor('Mistral', {
  wire: completions('mistral-small-2506', { usageWithFinish: true }),
  make: url => new ChatMistralAI({ model: 'mistral-small-latest', apiKey: 'k', maxRetries: 0, serverURL: url }),
  model: 'mistral-small-latest',
  provider: 'mistral',
  responseModel: {
    invoked: 'mistral-small-2506',
    streamed: 'mistral-small-2506',
    opening: 'mistral-small-2506',
    events: 'mistral-small-2506',
  },
  finish: { whole: 'stop', tools: 'tool_calls', length: 'length' },
  tokens: { input_tokens: 11, output_tokens: 7, total_tokens: 18 },
});
