// Tools that patch the SDK while it is loaded, beside the recorder.

import { describe } from 'vitest';
import { compareNeighbours } from './compare.js';

const CASES = [
  'generated text',
  'streamed text',
  'a refused stream',
  'a tool, streamed',
  'an agent, generated',
  '20 calls at once',
  '50 calls of one model',
  'one wrapped model, then without',
];

// On AI SDK 7 these two don't work together: each locks the same stream.
describe.each(['ai5', 'ai6'])('%s', sdk => {
  compareNeighbours(`./${sdk}/main.js`, ['dd-trace and @sentry/node'], ['both'], CASES);
});

describe.each(['ai5', 'ai6', 'ai7'])('%s', sdk => {
  compareNeighbours(`./${sdk}/main.js`, ['braintrust’s hook'], ['both'], CASES);
});
