// The two protocols of OpenAI: Chat Completions, which many providers speak, and Responses.

import { type Answer, events, type Wire } from './wire.js';

const USAGE = {
  prompt_tokens: 11,
  completion_tokens: 7,
  total_tokens: 18,
  prompt_tokens_details: { cached_tokens: 3 },
  completion_tokens_details: { reasoning_tokens: 2 },
};

/** What of Chat Completions differs between providers. */
interface Dialect {
  /** The name under which the thinking stands. */
  readonly thinking?: string;
  /** Groq gives a stream's tokens twice. */
  readonly xGroq?: boolean;
  /** The reason to stop comes twice, as OpenRouter sends it. */
  readonly finishTwice?: boolean;
  /** The tokens come with the reason to stop, and not after it. */
  readonly usageWithFinish?: boolean;
}

/** Chat Completions. */
export function completions(model: string, { thinking, xGroq, finishTwice, usageWithFinish }: Dialect = {}): Wire {
  return (answer, { body }) => {
    const finish = answer.finish ?? (answer.tool ? 'tool_calls' : 'stop');
    const head = { id: 'chatcmpl-1', created: 1, model };
    const reasoning = answer.thinking && thinking ? { [thinking]: answer.thinking } : {};
    if (body.stream !== true) {
      const message = {
        role: 'assistant',
        content: answer.text?.join('') ?? null,
        ...reasoning,
        ...(answer.refusal && { refusal: answer.refusal }),
        ...(answer.tool && { tool_calls: [toolCall(answer)] }),
      };
      const choices = [{ index: 0, message, finish_reason: finish }];
      return { json: { ...head, object: 'chat.completion', choices, usage: USAGE } };
    }
    const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) => ({
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason }],
      ...more,
    });
    const opening = [
      chunk({ role: 'assistant', content: '' }),
      ...(answer.thinking && thinking ? [chunk({ [thinking]: answer.thinking })] : []),
      ...(answer.text ?? []).map(content => chunk({ content })),
      ...(answer.refusal ? [chunk({ refusal: answer.refusal })] : []),
    ];
    const closing = [
      ...(answer.tool ? [chunk({ tool_calls: [{ index: 0, ...toolCall(answer) }] })] : []),
      chunk(
        { content: '' },
        finish,
        xGroq ? { x_groq: { id: 'r', usage: USAGE }, usage: USAGE } : usageWithFinish ? { usage: USAGE } : {},
      ),
      ...(finishTwice ? [chunk({ content: '' }, finish, { usage: USAGE })] : []),
      ...(xGroq || finishTwice || usageWithFinish
        ? []
        : [{ ...head, object: 'chat.completion.chunk', choices: [], usage: USAGE }]),
    ];
    return { type: 'text/event-stream', frames: events(opening), rest: events([...closing, '[DONE]']) };
  };
}

function toolCall({ tool }: Answer) {
  return { id: tool?.id, type: 'function', function: { name: tool?.name, arguments: JSON.stringify(tool?.args) } };
}

/** Responses. `finish` is the reason of an incomplete one, which a stream says with an event of the type `incomplete`. */
export function responses(model: string, { incomplete = 'response.incomplete' } = {}): Wire {
  return (answer, { body }) => {
    const text = answer.text?.join('') ?? '';
    const content = answer.refusal
      ? { type: 'refusal', refusal: answer.refusal }
      : { type: 'output_text', text, annotations: [] };
    const output = [
      ...(answer.thinking ? [reasoningItem(answer.thinking)] : []),
      ...(answer.text || answer.refusal
        ? [{ type: 'message', id: 'msg_1', role: 'assistant', content: [content] }]
        : []),
      ...(answer.tool ? [functionCall(answer)] : []),
    ];
    const base = { id: 'resp_1', object: 'response', created_at: 1, model, metadata: {} };
    const whole = {
      ...base,
      output,
      status: answer.finish ? 'incomplete' : 'completed',
      incomplete_details: answer.finish ? { reason: answer.finish } : null,
      usage: {
        input_tokens: 11,
        output_tokens: 7,
        total_tokens: 18,
        input_tokens_details: { cached_tokens: 3 },
        output_tokens_details: { reasoning_tokens: 2 },
      },
    };
    if (body.stream !== true) return { json: whole };
    const opening = [
      { type: 'response.created', response: { ...base, status: 'in_progress', output: [] } },
      ...(answer.thinking
        ? [
            {
              type: 'response.output_item.added',
              output_index: 0,
              item: { type: 'reasoning', id: 'rs_1', summary: [] },
            },
            {
              type: 'response.reasoning_summary_part.added',
              summary_index: 0,
              part: { type: 'summary_text', text: '' },
            },
            { type: 'response.reasoning_summary_text.delta', summary_index: 0, delta: answer.thinking },
          ]
        : []),
      ...(answer.text ?? []).map(delta => ({ type: 'response.output_text.delta', content_index: 0, delta })),
    ];
    const closing = [
      ...(answer.refusal ? [{ type: 'response.refusal.done', refusal: answer.refusal }] : []),
      ...(answer.tool
        ? [
            { type: 'response.output_item.added', output_index: 1, item: { ...functionCall(answer), arguments: '' } },
            {
              type: 'response.function_call_arguments.delta',
              output_index: 1,
              delta: JSON.stringify(answer.tool.args),
            },
          ]
        : []),
      { type: answer.finish ? incomplete : 'response.completed', response: whole },
    ];
    return {
      type: 'text/event-stream',
      frames: events(opening, { named: true }),
      rest: events(closing, { named: true }),
    };
  };
}

function reasoningItem(text: string) {
  return { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text }] };
}

function functionCall({ tool }: Answer) {
  const { id, name, args } = tool ?? { id: '', name: '', args: {} };
  return { type: 'function_call', id: 'fc_1', call_id: id, name, arguments: JSON.stringify(args) };
}
