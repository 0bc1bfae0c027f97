import { ChatCohere } from '@langchain/cohere';
import { CohereClient } from 'cohere-ai';
import { chat } from './cohere-wire.js';
import { itHoldsFor } from './contract.js';

itHoldsFor('Cohere', {
  wire: chat,
  make: url =>
    new ChatCohere({
      model: 'command-r',
      maxRetries: 0,
      client: new CohereClient({ token: 'k', environment: url }) as never,
    }),
  model: 'command-r',
  provider: 'cohere',
  responseModel: {},
  finish: { whole: 'COMPLETE', tools: 'COMPLETE', length: 'MAX_TOKENS', filter: 'ERROR_TOXIC' },
  tokens: { input_tokens: 11, output_tokens: 7, total_tokens: 18 },
  streamsNoTools: true,
});
