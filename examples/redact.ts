import { redact } from '@arcjet/redact';
import { createRecorder } from 'synap-recorder';

const recorder = createRecorder({
  // Runs before anything is queued or written. If it throws, the message is not recorded, and counted as a loss.
  redact: async message => {
    const [content] = await redact(message.content, { entities: ['email', 'phone-number', 'credit-card-number'] });
    return { ...message, content };
  },
});

const turn = recorder.turn({ userId: 'ada', conversationId: 'chat-42' });
turn.user('My card is 4242424242424242, write to ada@example.com');
turn.complete({ content: 'Thank you!' });
console.log(await turn.accepted); // { accepted: 2, lost: [] }

await recorder.close();
