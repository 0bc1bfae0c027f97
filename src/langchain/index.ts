export { SynapCallbackHandler } from './callback-handler.js';
export { SynapChatMessageHistory, type SynapChatMessageHistoryOptions } from './chat-message-history.js';
export type { SynapCallbackHandlerOptions } from './options.js';
export type { ReadOptions } from './read-transcript.js';
