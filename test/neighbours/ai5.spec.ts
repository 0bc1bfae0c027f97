import { comparesNeighbours } from './compare.js';

comparesNeighbours('./ai5/main.js', ['wrapAISDK', 'wrapModel', 'both']);
