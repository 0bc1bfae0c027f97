import type { Wire } from './wire.js';

/** Cohere's Chat, version 1, which its package for LangChain speaks. It does not name the model that answers. */
export const chat: Wire = (answer, { body }) => {
  const text = answer.text?.join('') ?? '';
  const finish_reason = answer.finish ?? 'COMPLETE';
  const tool_calls = answer.tool ? [{ name: answer.tool.name, parameters: answer.tool.args }] : undefined;
  const meta = { api_version: { version: '1' }, tokens: { input_tokens: 11, output_tokens: 7 } };
  const whole = { response_id: 'r', generation_id: 'g', text, chat_history: [], finish_reason, meta, tool_calls };
  if (body.stream !== true) return { json: whole };
  const line = (event_type: string, event: object) =>
    `${JSON.stringify({ is_finished: false, event_type, ...event })}\n`;
  return {
    type: 'application/stream+json',
    frames: [
      line('stream-start', { generation_id: 'g' }),
      ...(answer.text ?? []).map(piece => line('text-generation', { text: piece })),
    ],
    rest: [line('stream-end', { is_finished: true, finish_reason, response: whole })],
  };
};
