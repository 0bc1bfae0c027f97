import { readFile } from 'node:fs/promises';
import { openai } from '@ai-sdk/openai';
import { serve } from '@hono/node-server';
import { zValidator } from '@hono/zod-validator';
import * as ai from 'ai';
import { Hono } from 'hono';
import { createRecorder } from 'synap-recorder';
import { wrapAISDK } from 'synap-recorder/ai-sdk';
import * as z from 'zod';
import { guests } from './guests.ts';

const recorder = createRecorder({ closeOnSignals: true }); // SYNAP_API_KEY, SYNAP_BASE_URL
const { createTextStreamResponse, streamText, toTextStream } = wrapAISDK(ai, recorder);

const page = await readFile(new URL('page.html', import.meta.url), 'utf8');
const chat = z.object({
  chatId: z.string().min(1),
  messages: z.array(z.object({ role: z.enum(['user', 'assistant']), content: z.string() })).min(1),
});

const app = new Hono()
  .use(guests)
  .get('/', c => c.html(page))
  .post('/chat', zValidator('json', chat), c => {
    const { chatId, messages } = c.req.valid('json');
    const { stream } = streamText({
      model: openai.chat('gpt-5-mini'),
      messages,
      abortSignal: c.req.raw.signal, // a browser that goes away ends the answer, and it is recorded as aborted
      providerOptions: { synap: { userId: c.var.userId, conversationId: chatId } },
    });
    return createTextStreamResponse({ stream: toTextStream({ stream }) });
  });

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) }, ({ port }) =>
  console.log(`The chat is at http://localhost:${port}`),
);
