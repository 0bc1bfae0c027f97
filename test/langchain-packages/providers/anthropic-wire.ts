import { events, type Wire } from './wire.js';

/** Anthropic's Messages. `search` puts a search of the web, which the provider runs by itself, before the text. */
export function messages(model: string, { search = false } = {}): Wire {
  return (answer, { body }) => {
    const stop_reason = answer.finish ?? (answer.tool ? 'tool_use' : 'end_turn');
    const blocks: { block: Record<string, unknown>; deltas: Record<string, unknown>[] }[] = [];
    if (answer.thinking)
      blocks.push({
        block: { type: 'thinking', thinking: '', signature: '' },
        deltas: [
          { type: 'thinking_delta', thinking: answer.thinking },
          { type: 'signature_delta', signature: 's' },
        ],
      });
    if (search) {
      const input = { query: 'q' };
      blocks.push(
        {
          block: { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: {} },
          deltas: [{ type: 'input_json_delta', partial_json: JSON.stringify(input) }],
        },
        {
          block: {
            type: 'web_search_tool_result',
            tool_use_id: 'srv_1',
            content: [{ type: 'web_search_result', url: 'https://a.b', title: 'A', encrypted_content: 'e' }],
          },
          deltas: [],
        },
      );
    }
    if (answer.text)
      blocks.push({
        block: { type: 'text', text: '' },
        deltas: answer.text.map(text => ({ type: 'text_delta', text })),
      });
    const toolAt = blocks.length;
    if (answer.tool)
      blocks.push({
        block: { type: 'tool_use', id: answer.tool.id, name: answer.tool.name, input: {} },
        deltas: [{ type: 'input_json_delta', partial_json: JSON.stringify(answer.tool.args) }],
      });
    const head = { id: 'msg_1', type: 'message', role: 'assistant', model, stop_sequence: null };
    const usage = { input_tokens: 8, cache_read_input_tokens: 3, cache_creation_input_tokens: 0 };
    if (body.stream !== true) {
      const content = blocks.map(({ block, deltas }) => deltas.reduce(merge, block));
      return { json: { ...head, content, stop_reason, usage: { ...usage, output_tokens: 7 } } };
    }
    const frames = blocks.map(({ block, deltas }, index) => [
      { type: 'content_block_start', index, content_block: block },
      ...deltas.map(delta => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]);
    const start = {
      type: 'message_start',
      message: { ...head, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } },
    };
    const opening = [start, ...frames.slice(0, toolAt).flat()];
    const closing = [
      ...frames.slice(toolAt).flat(),
      { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 7 } },
      { type: 'message_stop' },
    ];
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    return {
      type: 'text/event-stream',
      frames: events(opening, { named: true }),
      rest: events(closing, { named: true }),
      error: events([error], { named: true }),
    };
  };
}

function merge(block: Record<string, unknown>, { type, ...delta }: Record<string, unknown>): Record<string, unknown> {
  if (type === 'input_json_delta') return { ...block, input: JSON.parse(String(delta.partial_json)) };
  const [[name, piece] = ['', '']] = Object.entries(delta);
  return { ...block, [name]: String(block[name] ?? '') + String(piece) };
}
