// Observability tools beside the recorder, on LangChain.

import { compareNeighbours } from './compare.js';

const NAMES = [
  'dd-trace',
  '@sentry/node',
  'langsmith, by the environment',
  'PostHog’s handler',
  'PostHog’s handler, after ours',
  'langfuse’s handler',
] as const;

compareNeighbours('./programs/langchain.js', NAMES, ['handler']);
