import assert from 'node:assert/strict';
import { styleText } from 'node:util';

/** What was said in a conversation, as the app knows it. */
export interface Said {
  through: string;
  conversationId: string;
  user: string;
  /** Prompt and answer. */
  turns: [string, string][];
}

interface StoredMessage {
  role: 'user' | 'assistant';
  content: string;
  user_id: string;
  recorded_at: string;
  metadata: Record<string, unknown>;
}

/** One conversation's messages, in order, from the local Synap. */
export async function readTranscript(
  synap: { url: string; apiKey: string },
  conversationId: string,
): Promise<StoredMessage[]> {
  const response = await fetch(`${synap.url}/v1/conversations/${conversationId}/messages?limit=500`, {
    headers: { authorization: `Bearer ${synap.apiKey}` },
  });
  assert.equal(response.status, 200, `no transcript of ${conversationId}: ${await response.clone().text()}`);
  return ((await response.json()) as { messages: StoredMessage[] }).messages;
}

export function printTranscript({ through, conversationId, user }: Said, messages: readonly StoredMessage[]): void {
  console.log(`\n${styleText('bold', `Through ${through}`)}\n${styleText('dim', `conversation ${conversationId}`)}\n`);
  const width = Math.max(user.length, 'assistant'.length);
  for (const { role, content, metadata } of messages) {
    const who = (role === 'user' ? user : 'assistant').padEnd(width);
    console.log(`  ${styleText(role === 'user' ? 'cyan' : 'green', who)}  ${content}`);
    if (role === 'assistant') console.log(`  ${' '.repeat(width)}  ${styleText('dim', facts(metadata))}`);
  }
}

function facts(metadata: Record<string, unknown>): string {
  const {
    model,
    time_to_first_token_ms: first,
    latency_ms: latency,
    input_tokens,
    output_tokens,
    tool_calls,
  } = metadata;
  const parts = [
    model,
    first === undefined ? undefined : `first token after ${first} ms`,
    `answered in ${latency} ms`,
    `${input_tokens} tokens in, ${output_tokens} out`,
    Array.isArray(tool_calls) ? `called ${tool_calls.join(', ')}` : undefined,
  ];
  return parts.filter(part => part !== undefined).join(' · ');
}

/** Fails, and says how, when the transcript is not what was said. */
export function check({ through, user, turns }: Said, messages: readonly StoredMessage[]): void {
  const said = turns.flatMap(([prompt, answer]) => [`user: ${prompt}`, `assistant: ${answer}`]);
  const read = messages.map(({ role, content }) => `${role}: ${content}`);
  assert.deepEqual(read, said, `the transcript through ${through} is not what was said`);
  for (const { role, user_id, metadata } of messages) {
    assert.equal(user_id, user);
    if (role === 'user') continue;
    for (const name of ['model', 'latency_ms', 'input_tokens', 'output_tokens', 'finish_reason', 'status'])
      assert.notEqual(metadata[name], undefined, `${name} is missing beside an answer through ${through}`);
  }
}
