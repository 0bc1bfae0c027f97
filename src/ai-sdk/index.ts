export type { SynapCallOptions } from './call-options.js';
export { wrapAISDK } from './wrap-ai-sdk.js';
export type { WrapAISDKOptions } from './wrap-functions.js';
export { wrapModel } from './wrap-model.js';
export type { WrapOptions } from './wrap-options.js';
