// Of a larger value, this many parts tell enough.
const MAX_PARTS = 10_000;
// What an object, a list or a number takes beside its texts.
const PART_CHARACTERS = 8;

/** About how many characters a value holds, as a measure of its memory. */
export function sizeOf(value: unknown): number {
  let size = 0;
  const open = [value];
  for (let parts = 0; open.length > 0 && parts < MAX_PARTS; parts++) {
    const part = open.pop();
    if (typeof part === 'string') size += part.length;
    else size += PART_CHARACTERS;
    if (ArrayBuffer.isView(part)) size += part.byteLength;
    else if (typeof part === 'object' && part !== null)
      for (const inner of Object.values(part)) {
        if (open.length + parts >= MAX_PARTS) break;
        open.push(inner);
      }
  }
  return size;
}
