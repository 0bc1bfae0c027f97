import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { ChatBedrockConverse } from '@langchain/aws';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { converse } from './bedrock-wire.js';
import { itHoldsFor } from './contract.js';

itHoldsFor('Bedrock', {
  wire: converse,
  make: url =>
    new ChatBedrockConverse({
      model: 'anthropic.claude-3',
      region: 'us-east-1',
      maxRetries: 0,
      client: new BedrockRuntimeClient({
        region: 'us-east-1',
        endpoint: url,
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        maxAttempts: 1,
        // By default it speaks HTTP/2.
        requestHandler: new NodeHttpHandler(),
      }),
    }),
  model: 'anthropic.claude-3',
  provider: 'amazon_bedrock',
  responseModel: {},
  finish: { whole: 'end_turn', tools: 'tool_use', length: 'max_tokens', filter: 'guardrail_intervened' },
  tokens: { input_tokens: 11, output_tokens: 7, total_tokens: 18, cached_input_tokens: 3 },
  thinks: true,
});
