import { ChatOllama } from '@langchain/ollama';
import { itHoldsFor } from './contract.js';
import { chat } from './ollama-wire.js';

itHoldsFor('Ollama', {
  wire: chat('qwen3:8b'),
  make: url => new ChatOllama({ model: 'qwen3', maxRetries: 0, baseUrl: url, think: true }),
  model: 'qwen3',
  provider: 'ollama',
  responseModel: { invoked: 'qwen3:8b', streamed: 'qwen3:8b' },
  finish: { whole: 'stop', tools: 'stop', length: 'length' },
  tokens: { input_tokens: 11, output_tokens: 7, total_tokens: 18 },
  thinks: true,
});
