// Records a turn without the environment. Takes the address; prints what was delivered.
import { createRecorder } from 'synap-recorder';

const recorder = createRecorder({ apiKey: 'k', baseUrl: process.argv[2], userId: 'ada', conversationId: 'chat-42' });
const turn = recorder.turn();
turn.user('Why is the sky blue?');
turn.complete({ content: 'Air scatters blue light more than red.' });
console.log(`delivered ${(await recorder.close()).delivered}`);
