/**
 * `synap-recorder/content`: for an importer, which makes of stored chats the messages that the recorder would have made.
 *
 * It exports how the adapters read the messages of the AI SDK and LangChain as text and attachments, and how the
 * recorder names a conversation, keeps tags, and cuts what is too large. Two readings of one message would be recorded
 * as two messages.
 */
export { readAnswer as readAISDKAnswer, readContent as readAISDKContent } from './ai-sdk/prompt.js';
export { answerText, humanContent, messageContent as readLangChainAnswer } from './langchain/content.js';
export { type Message, readMessage as readLangChainMessage, type Speaker, toolNames } from './langchain/messages.js';
export type { MessageContent } from './recorder/attachments.js';
export { type MissingIdentity, type ResolvedIdentity, resolveIdentity } from './recorder/identity.js';
export { isUnknown, MAX_CONVERSATION_ID, readId, whatIsUnknown } from './recorder/known-id.js';
export { tagMetadata } from './recorder/metadata.js';
export { jsonBytes, type SizedMessage, truncateMessage } from './recorder/truncate.js';
