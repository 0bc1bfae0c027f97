import { ChatXAI, ChatXAIResponses } from '@langchain/xai';
import { itHoldsFor } from './contract.js';
import { completions, responses } from './openai-wire.js';

const common = {
  model: 'grok-3',
  provider: 'xai',
  tokens: { input_tokens: 11, output_tokens: 7, total_tokens: 18, cached_input_tokens: 3, reasoning_tokens: 2 },
  thinks: true,
};

itHoldsFor('xAI', {
  ...common,
  wire: completions('grok-3-2026', { thinking: 'reasoning_content' }),
  make: url => new ChatXAI({ model: 'grok-3', apiKey: 'k', maxRetries: 0, baseURL: url }),
  responseModel: { invoked: 'grok-3-2026', streamed: 'grok-3-2026', events: 'grok-3-2026' },
  finish: { whole: 'stop', tools: 'tool_calls', length: 'length', filter: 'content_filter' },
});

itHoldsFor('Responses of xAI', {
  ...common,
  wire: responses('grok-3-2026', { incomplete: 'response.completed' }),
  make: url => new ChatXAIResponses({ model: 'grok-3', apiKey: 'k', maxRetries: 0, baseURL: url }),
  responseModel: { invoked: 'grok-3-2026', streamed: 'grok-3-2026' },
  finish: { whole: 'completed', tools: 'completed', length: 'max_output_tokens', filter: 'content_filter' },
  bindsNoTools: true,
});
