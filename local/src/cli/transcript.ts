import { columns, harmless, harmlessLine, styled } from 'synap-recorder/cli';
import { saidAt, type WireStoredMessage } from '../wire.js';
import { wrapped } from './wrapped.js';

const INDENT = '  ';

/** A message for people: who, when and how on one line, and below it what was said. */
export function messageText(message: WireStoredMessage, { where = false } = {}): string {
  const { role, content, conversation_id, user_id, metadata } = message;
  const name = styled(['bold', role === 'user' ? 'cyan' : 'green'], harmlessLine(role));
  const place = where ? [harmlessLine(`${user_id} in ${conversation_id}`)] : [];
  const facts = [timeText(timeOf(message)), ...place, ...messageFacts(metadata)].join(' · ');
  return `${name}  ${styled('dim', facts)}${statusText(metadata.status)}\n${wrapped(harmless(content), INDENT, columns())}\n`;
}

/** When it was said, or else when it was recorded, which is later: for an import, much later. */
export function timeOf({ role, metadata, recorded_at }: WireStoredMessage): string {
  return saidAt(role, metadata) ?? recorded_at;
}

/** Date and time on this machine's clock. */
function timeText(iso: string): string {
  const date = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Facts from a message's metadata that a reader wants to know; absent ones are left out. */
export function messageFacts(metadata: WireStoredMessage['metadata']): string[] {
  const { model, response_model, latency_ms, time_to_first_token_ms, input_tokens, output_tokens } = metadata;
  const tools = Array.isArray(metadata.tool_calls) ? metadata.tool_calls.filter(name => typeof name === 'string') : [];
  const first = isNumber(time_to_first_token_ms) ? ` (first token ${duration(time_to_first_token_ms)})` : '';
  return [
    isText(model) ? model : response_model,
    isNumber(latency_ms) ? duration(latency_ms) + first : undefined,
    isNumber(input_tokens) || isNumber(output_tokens)
      ? `${shown(input_tokens)} → ${shown(output_tokens)} tokens`
      : undefined,
    tools.length > 0 ? `tools: ${tools.join(', ')}` : undefined,
  ]
    .filter(isText)
    .map(harmlessLine);
}

/** The status of an answer, if there is anything to say about it. */
function statusText(status: unknown): string {
  if (!isText(status) || status === 'complete') return '';
  return `  ${styled(status === 'error' ? 'red' : 'yellow', harmlessLine(status))}`;
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function shown(tokens: unknown): string {
  return isNumber(tokens) ? String(tokens) : '?';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
