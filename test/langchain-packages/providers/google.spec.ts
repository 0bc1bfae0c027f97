import { ChatGoogle } from '@langchain/google';
import { ChatGoogleGenerativeAI } from '@langchain/google-genai';
import { ChatVertexAI } from '@langchain/google-vertexai';
import { itHoldsFor, type ProviderPackage } from './contract.js';
import { gemini } from './google-wire.js';

const google: Omit<ProviderPackage, 'make'> = {
  wire: gemini('gemini-2.5-pro-001'),
  model: 'gemini-2.5-pro',
  provider: 'google_genai',
  // Streamed, the package does not say it.
  responseModel: { invoked: 'gemini-2.5-pro-001' },
  finish: { whole: 'STOP', tools: 'STOP', length: 'MAX_TOKENS', filter: 'SAFETY' },
  tokens: { input_tokens: 11, output_tokens: 7, total_tokens: 18, cached_input_tokens: 3, reasoning_tokens: 2 },
  thinks: true,
};

itHoldsFor('Google', {
  ...google,
  make: url => new ChatGoogle({ model: 'gemini-2.5-pro', apiKey: 'k', maxRetries: 0, endpoint: url }),
});

itHoldsFor('Google, by its older package', {
  ...google,
  make: url => new ChatGoogleGenerativeAI({ model: 'gemini-2.5-pro', apiKey: 'k', maxRetries: 0, baseUrl: url }),
  responseModel: {},
  // It does not count what was thought.
  tokens: { input_tokens: 11, output_tokens: 5, total_tokens: 18, cached_input_tokens: 3 },
});

itHoldsFor('Vertex AI', {
  ...google,
  make: vertex,
  provider: 'google_vertexai',
  responseModel: {},
  // What is filtered it throws.
  finish: { whole: 'STOP', tools: 'STOP', length: 'MAX_TOKENS' },
  hidesBreaks: true,
});

/** Its address can't be set: requests are sent to `url` instead. */
function vertex(url: string) {
  const { fetch } = globalThis;
  globalThis.fetch = (to, options) => fetch(String(to).replace(/^https:\/\/[^/]+/, url), options);
  try {
    return new ChatVertexAI({ model: 'gemini-2.5-pro', apiKey: 'k', maxRetries: 0 });
  } finally {
    globalThis.fetch = fetch;
  }
}
