import { ChatDeepSeek } from '@langchain/deepseek';
import { itHoldsFor } from './contract.js';
import { completions } from './openai-wire.js';

itHoldsFor('DeepSeek', {
  wire: completions('deepseek-chat-v3', { thinking: 'reasoning_content' }),
  make: url =>
    new ChatDeepSeek({ model: 'deepseek-chat', apiKey: 'k', maxRetries: 0, configuration: { baseURL: url } }),
  model: 'deepseek-chat',
  provider: 'deepseek',
  responseModel: { invoked: 'deepseek-chat-v3', streamed: 'deepseek-chat-v3', events: 'deepseek-chat-v3' },
  finish: { whole: 'stop', tools: 'tool_calls', length: 'length', filter: 'content_filter' },
  tokens: { input_tokens: 11, output_tokens: 7, total_tokens: 18, cached_input_tokens: 3, reasoning_tokens: 2 },
  thinks: true,
});
