import { comparesNeighbours } from './compare.js';

comparesNeighbours('./ai7/main.js', ['wrapAISDK', 'wrapModel', 'both']);
