export { SynapCallbackHandler } from './callback-handler.js';
export { SynapChatMessageHistory, type SynapChatMessageHistoryOptions } from './history/chat-message-history.js';
export type { ReadOptions } from './history/read-transcript.js';
export type { SynapCallbackHandlerOptions } from './options.js';
