export { type ChatRequest, type ModelReply, type ModelScript, scriptedModel } from './scripted-model.js';
