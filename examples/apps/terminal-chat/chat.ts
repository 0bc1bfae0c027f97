import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { openai } from '@ai-sdk/openai';
import * as ai from 'ai';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK } from 'synap-recorder/ai-sdk';

// SYNAP_API_KEY, SYNAP_BASE_URL. A window that is closed, or a kill, waits until what was said is delivered.
const recorder = createRecorder({ closeOnSignals: ['SIGHUP', 'SIGTERM'] });
const chat = recorder.newConversation({ userId: userInfo().username });
const { streamText } = wrapAISDK(ai, recorder, chat);

const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
const messages: ai.ModelMessage[] = [];
let answering: AbortController | undefined;
let isOpen = true;
terminal.on('close', () => {
  isOpen = false;
});

// Ctrl-C cuts an answer short; between answers it ends the chat, as Ctrl-D does.
const interrupt = () => (answering ? answering.abort() : terminal.close());
terminal.on('SIGINT', interrupt);
process.on('SIGINT', interrupt);

terminal.prompt();
for await (const line of terminal) {
  if (line.trim() !== '') {
    answering = new AbortController();
    await answer(line, answering.signal);
    answering = undefined;
  }
  if (isOpen) terminal.prompt();
}

await recorder.close();
const { accepted, delivered } = recorder.stats();
console.log(`\nConversation ${chat.conversationId}: ${delivered} of ${accepted} messages are in Synap.`);

async function answer(question: string, abortSignal: AbortSignal): Promise<void> {
  messages.push({ role: 'user', content: question });
  const { textStream } = streamText({
    model: openai.chat('gpt-5-mini'),
    messages,
    abortSignal,
    onError: ({ error }) => console.error(error instanceof Error ? error.message : error),
  });
  let text = '';
  for await (const piece of textStream) {
    process.stdout.write(piece);
    text += piece;
  }
  process.stdout.write('\n');
  if (text !== '') messages.push({ role: 'assistant', content: text });
}
