import { ChatGroq } from '@langchain/groq';
import { itHoldsFor } from './contract.js';
import { completions } from './openai-wire.js';

itHoldsFor('Groq', {
  wire: completions('llama-3.3-70b', { xGroq: true, thinking: 'reasoning' }),
  make: url => new ChatGroq({ model: 'llama-3.3', apiKey: 'k', maxRetries: 0, baseUrl: url }),
  model: 'llama-3.3',
  provider: 'groq',
  responseModel: { invoked: 'llama-3.3-70b', streamed: 'llama-3.3-70b', events: 'llama-3.3-70b' },
  finish: { whole: 'stop', tools: 'tool_calls', length: 'length' },
  tokens: {
    invoked: { input_tokens: 11, output_tokens: 7, total_tokens: 18 },
    streamed: {
      input_tokens: 11,
      output_tokens: 7,
      total_tokens: 18,
      cached_input_tokens: 3,
      reasoning_tokens: 2,
    },
  },
  thinks: true,
});
