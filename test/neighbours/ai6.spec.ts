// Observability tools beside the recorder, on AI SDK 6.

import { compareNeighbours } from './compare.js';

compareNeighbours('./ai6/main.js', ['dd-trace', '@sentry/node', 'OpenTelemetry'], ['wrapAISDK', 'wrapModel', 'both']);
