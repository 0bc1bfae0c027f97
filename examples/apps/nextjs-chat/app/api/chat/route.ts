import { openai } from '@ai-sdk/openai';
import { convertToModelMessages, createUIMessageStreamResponse, toUIMessageStream, type UIMessage } from 'ai';
import { streamText } from '@/lib/ai';
import { currentUserId } from '@/lib/guest';

export const maxDuration = 60;

export async function POST(request: Request): Promise<Response> {
  const { id, messages }: { id: string; messages: UIMessage[] } = await request.json();
  const userId = await currentUserId();
  const { stream } = streamText({
    model: openai.chat('gpt-5-mini'),
    messages: await convertToModelMessages(messages),
    abortSignal: request.signal, // a browser that goes away ends the answer, and it is recorded as aborted
    providerOptions: { synap: { userId, conversationId: id, messageId: lastUserMessage(messages)?.id } },
  });
  return createUIMessageStreamResponse({ stream: toUIMessageStream({ stream }) });
}

// By its id it is known again when another answer to it is asked for, and recorded once.
function lastUserMessage(messages: UIMessage[]): UIMessage | undefined {
  return messages.findLast(({ role }) => role === 'user');
}
