import { subscribe } from 'node:diagnostics_channel';
import { createRecorder, type DeliveredEvent, type LostEvent, type RequestEvent } from 'synap-recorder';

subscribe('synap-recorder:delivered', event => {
  const { role, conversationId } = event as DeliveredEvent;
  console.log(`delivered: ${role} in ${conversationId}`);
});
subscribe('synap-recorder:lost', event => console.warn(`lost: ${(event as LostEvent).reason}`));
subscribe('synap-recorder:request', event => {
  const { path, status, messages } = event as RequestEvent;
  if (messages > 0) console.log(`${path}: ${status}, ${messages} messages`);
});

const recorder = createRecorder({
  userId: 'ada',
  // Called with the warning that is logged: more arrives than the rate limit lets go, or the outbox fills up.
  onBacklog: ({ reason, pending }) => console.warn(`backlog (${reason}): ${pending} messages`),
});
const turn = recorder.turn({ conversationId: 'chat-42' });
turn.user('Why is the sky blue?');
turn.complete({ content: 'Air scatters blue light more than red.' });

await recorder.close(); // once, when the app ends
