// Tools that wrap the SDK or a model, inside and outside of the recorder's wrapper.

import { describe } from 'vitest';
import { compareNeighbours } from './compare.js';

const CASES = [
  'generated text',
  'streamed text',
  'streamed parts',
  'a response for a browser',
  'an abort',
  'a refusal of the model',
  'a refused stream',
  'a broken stream',
  'a tool, generated',
  'a tool, streamed',
  'a call inside a tool',
  'a generated object',
  'a streamed object',
  'an output',
  'an agent, generated',
  'an agent, streamed',
  '20 calls at once',
];

// PostHog's withTracing refuses the models of AI SDK 7.
describe.each([
  ['ai5', ['langsmith', 'braintrust', 'posthog']],
  ['ai6', ['langsmith', 'braintrust', 'posthog']],
  ['ai7', ['langsmith', 'braintrust']],
] as const)('%s', (sdk, names) => {
  const inBothOrders = names.flatMap(name => [`${name}, inside`, `${name}, outside`] as const);
  compareNeighbours(`./${sdk}/main.js`, inBothOrders, ['wrapAISDK', 'wrapModel'], CASES);
});
