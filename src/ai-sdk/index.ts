export type { SynapCallOptions } from './call-options.js';
export type { WrapOptions } from './run.js';
export { type WrapAISDKOptions, wrapAISDK } from './wrap-ai-sdk.js';
export { wrapModel } from './wrap-model.js';
