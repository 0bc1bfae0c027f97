import { redact } from '@arcjet/redact';
import { createRecorder } from 'synap-recorder';

// The text, and every text in the metadata: your tags, file names, the text of an error, titles of sources.
async function redactTexts<T>(value: T): Promise<T> {
  if (typeof value === 'string') {
    const [text] = await redact(value, { entities: ['email', 'phone-number', 'credit-card-number'] });
    return text as T;
  }
  if (Array.isArray(value)) return (await Promise.all(value.map(redactTexts))) as T;
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(async ([name, field]) => [name, await redactTexts(field)] as const);
  return Object.fromEntries(await Promise.all(fields)) as T;
}

const recorder = createRecorder({
  // Runs before anything is queued or written. If it throws, or takes longer than 5 s, the message is not recorded, and
  // counted as a loss.
  redact: async message => ({
    ...message,
    content: await redactTexts(message.content),
    metadata: await redactTexts(message.metadata),
  }),
});

const turn = recorder.turn({ userId: 'ada', conversationId: 'chat-42' });
turn.user('My card is 4242424242424242, write to ada@example.com', {
  attachments: [{ mediaType: 'application/pdf', filename: 'ada@example.com.pdf' }],
  metadata: { page: '/contact?mail=ada@example.com' },
});
turn.append('Thank you!');
turn.fail(new Error('The mail to support@example.com was refused'));
console.log(await turn.accepted); // { accepted: 2, lost: [] }

await recorder.close();
