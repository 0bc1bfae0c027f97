import { isObject } from '../internal/guards.js';
import { messageText } from './content.js';
import { readMessage } from './messages.js';

// A state may be deep and wide; the answer is looked for so far and no farther.
export const MAX_DEPTH = 6;
const MAX_VALUES = 5000;

/** What stands in an output, each with the least depth at which it does. */
export interface OutputParts {
  readonly texts: ReadonlyMap<string, number>;
  readonly objects: ReadonlyMap<object, number>;
  /** Whether it holds a number or a boolean. */
  readonly hasScalars: boolean;
}

/** Breadth first. */
export function partsOfOutput(output: unknown): OutputParts {
  const texts = new Map<string, number>();
  const objects = new Map<object, number>();
  let hasScalars = false;
  let level = [output];
  let seen = 0;
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const value of level) {
      if (++seen > MAX_VALUES) return { texts, objects, hasScalars };
      const message = readMessage(value);
      const said = message?.speaker === 'ai' ? messageText(message) : value;
      if (typeof said === 'string') {
        if (said.trim() !== '' && !texts.has(said.trim())) texts.set(said.trim(), depth);
      } else if (typeof said === 'number' || typeof said === 'boolean') hasScalars = true;
      else if (message || ArrayBuffer.isView(value)) continue;
      else if (Array.isArray(value)) next.push(...value);
      else if (isObject(value)) {
        if (!objects.has(value)) objects.set(value, depth);
        next.push(...Object.values(value));
      }
    }
    level = next;
  }
  return { texts, objects, hasScalars };
}
