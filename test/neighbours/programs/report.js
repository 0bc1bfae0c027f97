import { writeFileSync } from 'node:fs';

const VOLATILE = /^(id|messageId|toolCallId|timestamp|responseId|stepId|callId|date|headers|performance)$/;

/** A value as data, without what differs from one run to the next. */
export function plain(value) {
  const seen = new WeakSet();
  const visit = (value, key) => {
    if (VOLATILE.test(key)) return undefined;
    if (value instanceof Error) return { name: value.name, message: visit(value.message, '') };
    if (typeof value === 'function') return `function`;
    if (typeof value === 'string')
      return value.replace(/"(id|messageId)":"[^"]*",?/g, '').replace(/127\.0\.0\.1:\d+/g, 'server');
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return 'circle';
    seen.add(value);
    if (Array.isArray(value)) return value.map(entry => visit(entry, ''));
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, entry]) => [key, visit(entry, key)])
        .filter(([, entry]) => entry !== undefined),
    );
  };
  return visit(value, '');
}

/** Writes what the program has seen where its test will read it. */
export function report(result) {
  writeFileSync(process.env.REPORT, JSON.stringify(result));
}
