import { crc32 } from 'node:zlib';
import type { Wire } from './wire.js';

const USAGE = { inputTokens: 8, outputTokens: 7, totalTokens: 18, cacheReadInputTokens: 3 };

/** Bedrock's Converse: JSON, or a binary stream of events. It does not name the model that answers. */
export const converse: Wire = (answer, { url }) => {
  const stopReason = answer.finish ?? (answer.tool ? 'tool_use' : 'end_turn');
  const toolUse = answer.tool && { toolUseId: answer.tool.id, name: answer.tool.name };
  if (!url.endsWith('converse-stream')) {
    const content = [
      ...(answer.thinking ? [{ reasoningContent: { reasoningText: { text: answer.thinking } } }] : []),
      ...(answer.text ? [{ text: answer.text.join('') }] : []),
      ...(toolUse ? [{ toolUse: { ...toolUse, input: answer.tool?.args } }] : []),
    ];
    const output = { message: { role: 'assistant', content } };
    return { json: { output, stopReason, usage: USAGE, metrics: { latencyMs: 5 } } };
  }
  const delta = (contentBlockIndex: number, piece: object) =>
    eventFrame('contentBlockDelta', { contentBlockIndex, delta: piece });
  const opening = [
    eventFrame('messageStart', { role: 'assistant' }),
    ...(answer.thinking ? [delta(0, { reasoningContent: { text: answer.thinking } })] : []),
    ...(answer.text ?? []).map(text => delta(1, { text })),
  ];
  const closing = [
    ...(toolUse
      ? [
          eventFrame('contentBlockStart', { contentBlockIndex: 2, start: { toolUse } }),
          delta(2, { toolUse: { input: JSON.stringify(answer.tool?.args) } }),
        ]
      : []),
    eventFrame('messageStop', { stopReason }),
    eventFrame('metadata', { usage: USAGE, metrics: { latencyMs: 5 } }),
  ];
  const error = [eventFrame('modelStreamErrorException', { message: 'overloaded' }, 'exception')];
  return { type: 'application/vnd.amazon.eventstream', frames: opening, rest: closing, error };
};

/** A message of AWS's event stream: lengths, checksum, headers, payload, checksum. */
function eventFrame(name: string, payload: object, kind: 'event' | 'exception' = 'event'): Uint8Array {
  const headers = Buffer.concat(
    Object.entries({ [`:${kind}-type`]: name, ':content-type': 'application/json', ':message-type': kind }).map(
      ([header, value]) => {
        const [text, known] = [Buffer.from(value), Buffer.from(header)];
        // Type 7 is a string, whose length takes two bytes.
        return Buffer.concat([Buffer.from([known.length]), known, Buffer.from([7, 0, text.length]), text]);
      },
    ),
  );
  const body = Buffer.from(JSON.stringify(payload));
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(headers.length + body.length + 16, 0);
  prelude.writeUInt32BE(headers.length, 4);
  const message = Buffer.concat([prelude, checksum(prelude), headers, body]);
  return Buffer.concat([message, checksum(message)]);
}

function checksum(bytes: Uint8Array): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum;
}
