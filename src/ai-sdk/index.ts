export type { SynapCallOptions } from './call-options.js';
export type { WrapOptions } from './run.js';
export { wrapAISDK } from './wrap-ai-sdk.js';
export type { WrapAISDKOptions } from './wrap-functions.js';
export { wrapModel } from './wrap-model.js';
