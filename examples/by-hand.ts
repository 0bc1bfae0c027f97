import { createRecorder } from 'synap-recorder';

const recorder = createRecorder(); // SYNAP_API_KEY, SYNAP_BASE_URL

const turn = recorder.turn({ userId: 'ada', conversationId: 'chat-42' });
turn.user('Why is the sky blue?');
try {
  for (const text of ['Air scatters blue light ', 'more than red.']) turn.append(text);
  turn.complete({ model: 'my-own-model', finishReason: 'stop' });
} catch (error) {
  turn.fail(error); // what was appended so far is recorded with the status "error"
  throw error;
}

await recorder.close(); // once, when the app ends
