// Observability tools beside the recorder, in CommonJS apps.

import { describe } from 'vitest';
import { compareNeighbours } from './compare.js';

// How a package is loaded decides how it can be patched, not what happens then: a few cases do.
const CASES = ['generated text', 'streamed text', 'a tool, streamed', 'a refused stream', 'an agent, generated'];

describe.each(['ai5', 'ai6', 'ai7'])('a CommonJS app with %s', sdk => {
  compareNeighbours(`./${sdk}/main.cjs`, ['dd-trace', '@sentry/node'], ['both'], CASES);
});
