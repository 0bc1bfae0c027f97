// Observability tools beside the recorder, on AI SDK 5.

import { compareNeighbours } from './compare.js';

compareNeighbours('./ai5/main.js', ['dd-trace', '@sentry/node', 'OpenTelemetry'], ['wrapAISDK', 'wrapModel', 'both']);
