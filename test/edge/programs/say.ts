// Says one turn, and ends as its argument says: `itself`, `exit`, `signal` or `kill`. Prints what happens, a line each.
import { createRecorder } from 'synap-recorder';
import { sqliteOutbox } from 'synap-recorder/sqlite';

const { ENDS, OUTBOX } = process.env;

const recorder = createRecorder({
  userId: 'ada',
  conversationId: 'chat-42',
  closeOnSignals: ENDS === 'signal',
  onLoss: ({ reason, role }) => console.log(`lost (${reason}): ${role}`),
  ...(OUTBOX && { outbox: sqliteOutbox({ path: OUTBOX, leaseMs: 1000 }) }),
});
if (recorder.stats().pending === 0) {
  const turn = recorder.turn();
  turn.user('Why is the sky blue?');
  turn.append('Air scatters blue light ');
  turn.append('more than red.');
  turn.complete({ model: 'my-own-model' });
}
console.log(`accepted ${recorder.stats().accepted}`);

if (ENDS === 'exit') process.exit();
if (ENDS === 'kill') process.kill(process.pid, 'SIGKILL');
if (ENDS === 'signal') {
  setInterval(() => {}, 1000);
  process.kill(process.pid, 'SIGTERM');
}
