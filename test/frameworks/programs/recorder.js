import { createRecorder } from 'synap-recorder';

const { HOW } = process.env;

/** `signals`: the recorder listens to signals; `hook`: the framework's own line closes it; otherwise there is none. */
export const recorder = HOW
  ? createRecorder({ userId: 'ada', conversationId: 'chat-42', closeOnSignals: HOW === 'signals' })
  : undefined;

export function say() {
  const turn = recorder?.turn();
  turn?.user('Hi');
  turn?.complete({ content: 'Hello' });
  return 'Hello';
}

/** Takes half a second to answer. */
export async function saySlowly() {
  const turn = recorder?.turn();
  turn?.user('Count');
  console.log('answers');
  await new Promise(resolve => setTimeout(resolve, 500));
  turn?.complete({ content: '1 2 3' });
  return '1 2 3';
}

export const close = () => (HOW === 'hook' ? recorder?.close() : undefined);

export const listens = port => console.log(`http://localhost:${port}`);
