import { createRecorder } from 'synap-recorder';

const { HOW } = process.env;

export const recorder = HOW
  ? createRecorder({ userId: 'ada', conversationId: 'chat-42', closeOnSignals: HOW === 'signals' })
  : undefined;
