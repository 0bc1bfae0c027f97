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

describe('AI SDK 5', () => {
  const names = ['langsmith', 'braintrust', 'posthog'] as const;
  compareNeighbours('./ai5/main.js', inBothOrders(names), ['wrapAISDK', 'wrapModel'], CASES);
});

describe('AI SDK 6', () => {
  const names = ['langsmith', 'braintrust', 'posthog'] as const;
  compareNeighbours('./ai6/main.js', inBothOrders(names), ['wrapAISDK', 'wrapModel'], CASES);
});

describe('AI SDK 7', () => {
  // PostHog's withTracing refuses its models.
  const names = ['langsmith', 'braintrust'] as const;
  compareNeighbours('./ai7/main.js', inBothOrders(names), ['wrapAISDK', 'wrapModel'], CASES);
});

function inBothOrders<N extends string>(names: readonly N[]) {
  return names.flatMap(name => [`${name}, inside`, `${name}, outside`] as const);
}
