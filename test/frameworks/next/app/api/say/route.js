import { after } from 'next/server';
import { createRecorder } from 'synap-recorder';

export const dynamic = 'force-dynamic';

const { HOW } = process.env;
const how = HOW === 'signals' ? { closeOnSignals: true } : { waitUntil: after };
const recorder = HOW ? createRecorder({ userId: 'ada', conversationId: 'chat-42', ...how }) : undefined;

export async function GET() {
  const turn = recorder?.turn();
  turn?.user('Hi');
  turn?.complete({ content: 'Hello' });
  return new Response('Hello');
}
