import { ChatAnthropic } from '@langchain/anthropic';
import { messages } from './anthropic-wire.js';
import { itHoldsFor, type ProviderPackage } from './contract.js';

const anthropic: ProviderPackage = {
  wire: messages('claude-sonnet-4-5-20250929'),
  make: url => new ChatAnthropic({ model: 'claude-sonnet-4-5', apiKey: 'k', maxRetries: 0, anthropicApiUrl: url }),
  model: 'claude-sonnet-4-5',
  provider: 'anthropic',
  responseModel: {
    invoked: 'claude-sonnet-4-5-20250929',
    streamed: 'claude-sonnet-4-5-20250929',
    opening: 'claude-sonnet-4-5-20250929',
    events: 'claude-sonnet-4-5-20250929',
  },
  finish: { whole: 'end_turn', tools: 'tool_use', length: 'max_tokens', filter: 'refusal' },
  tokens: {
    invoked: { input_tokens: 11, output_tokens: 7, total_tokens: 18, cached_input_tokens: 3 },
    // The package adds the token that the start of a stream tells of to those that its end tells of.
    streamed: { input_tokens: 11, output_tokens: 8, total_tokens: 19, cached_input_tokens: 3 },
  },
  thinks: true,
};

itHoldsFor('Anthropic', anthropic);

itHoldsFor('Anthropic with a search that it runs by itself', {
  ...anthropic,
  wire: messages('claude-sonnet-4-5-20250929', { search: true }),
});
