// Observability tools beside the recorder, on AI SDK 7.

import { compareNeighbours } from './compare.js';

compareNeighbours('./ai7/main.js', ['dd-trace', '@sentry/node', 'OpenTelemetry'], ['wrapAISDK', 'wrapModel', 'both']);
