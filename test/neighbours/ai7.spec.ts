import { compareNeighbours } from './compare.js';

compareNeighbours('./ai7/main.js', ['dd-trace', '@sentry/node', 'OpenTelemetry'], ['wrapAISDK', 'wrapModel', 'both']);
