// A command line: it holds a lock, or has a hook of signal-exit, and works until it is stopped.
import { listens, say } from './recorder.js';

const said = name => (code, signal) => console.log(`${name}: ${code} ${signal}`);
const { BESIDE = '' } = process.env;
if (BESIDE.includes('3')) (await import('signal-exit-3')).default(said('signal-exit 3'));
if (BESIDE.includes('4')) (await import('signal-exit-4')).onExit(said('signal-exit 4'));
if (BESIDE.includes('lock')) await (await import('proper-lockfile')).default.lock(process.env.LOCKED);
if (BESIDE.includes('ora')) (await import('ora')).default({ isEnabled: true }).start('works');
say();
// The app makes signal-exit let it end by itself.
if (BESIDE.includes('keeps'))
  (await import('signal-exit-4')).onExit(() => {
    setTimeout(() => process.exit(5), 300);
    return true;
  });
if (BESIDE.includes('late')) (await import('signal-exit-4')).onExit(said('signal-exit 4'));
if (BESIDE.includes('copy')) {
  const { createRecorder } = await import(process.env.COPY);
  if (process.env.HOW) {
    const turn = createRecorder({ userId: 'ada', conversationId: 'chat-43', closeOnSignals: true }).turn();
    turn.user('Hi, copy');
    turn.complete({ content: 'Hello, copy' });
  }
}
setInterval(() => {}, 1000);
listens(1);
