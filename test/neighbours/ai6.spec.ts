import { comparesNeighbours } from './compare.js';

comparesNeighbours('./ai6/main.js', ['wrapAISDK', 'wrapModel', 'both']);
