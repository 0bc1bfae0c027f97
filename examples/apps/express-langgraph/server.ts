import { AIMessageChunk } from '@langchain/core/messages';
import express from 'express';
import { createRecorder } from 'synap-recorder';
import { SynapCallbackHandler } from 'synap-recorder/langchain';
import * as z from 'zod';
import { graph } from './graph.ts';

const recorder = createRecorder(); // SYNAP_API_KEY, SYNAP_BASE_URL
const handler = new SynapCallbackHandler(recorder);

const app = express();
app.use(express.json());

const Question = z.object({ content: z.string().min(1) });

app.post('/threads/:threadId/messages', async (req, res) => {
  // Set by the proxy that signs users in, such as oauth2-proxy; nobody reaches this server without it.
  const userId = req.get('x-forwarded-user');
  if (!userId) return void res.status(401).json({ error: 'Sign in first' });
  const question = Question.safeParse(req.body);
  if (!question.success) return void res.status(400).json({ error: z.prettifyError(question.error) });

  const { threadId } = req.params;
  const gone = new AbortController();
  res.on('close', () => gone.abort());
  const stream = await graph.stream(
    { messages: [{ role: 'user', content: question.data.content }] },
    {
      streamMode: 'messages',
      configurable: { thread_id: JSON.stringify([userId, threadId]) }, // nobody reads another user's thread
      callbacks: [handler],
      metadata: { user_id: userId, conversation_id: threadId },
      signal: gone.signal,
    },
  );

  res.type('text/event-stream').flushHeaders();
  try {
    for await (const [piece] of stream)
      if (AIMessageChunk.isInstance(piece) && piece.text !== '') res.write(`data: ${JSON.stringify(piece.text)}\n\n`);
    res.end('event: end\ndata:\n\n');
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
});

const server = app.listen(Number(process.env.PORT ?? 3000), error => {
  if (error) throw error; // such as a port that is taken
  const address = server.address();
  console.log(`The service is at http://localhost:${typeof address === 'object' && address?.port}`);
});

// Answers that are under way are finished, then what was said is delivered.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close(() => recorder.close()));
