export { SynapCallbackHandler } from './callback-handler.js';
export type { SynapCallbackHandlerOptions } from './options.js';
