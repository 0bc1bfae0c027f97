export { type LocalSynap, type LocalSynapOptions, startLocalSynap } from './server.js';
