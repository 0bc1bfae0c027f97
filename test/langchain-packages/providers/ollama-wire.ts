import type { Wire } from './wire.js';

/** Ollama's chat: a line of JSON a piece. */
export function chat(model: string): Wire {
  return (answer, { body }) => {
    const line = (message: object, more: object = {}) => ({
      model,
      created_at: '2026-01-01T00:00:00Z',
      message: { role: 'assistant', content: '', ...message },
      done: false,
      ...more,
    });
    const done = { done: true, done_reason: answer.finish ?? 'stop', prompt_eval_count: 11, eval_count: 7 };
    const call = answer.tool && { function: { name: answer.tool.name, arguments: answer.tool.args } };
    const opening = [
      ...(answer.thinking ? [line({ thinking: answer.thinking })] : []),
      ...(answer.text ?? []).map(content => line({ content })),
    ];
    const closing = [...(call ? [line({ tool_calls: [call] })] : []), line({}, done)];
    if (body.stream === false) return { json: line({ content: answer.text?.join('') ?? '' }, done) };
    const lines = (data: object[]) => data.map(piece => `${JSON.stringify(piece)}\n`);
    return { type: 'application/x-ndjson', frames: lines(opening), rest: lines(closing) };
  };
}
