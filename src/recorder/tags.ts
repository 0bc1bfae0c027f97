import { copyJson, type JsonBudget, type JsonObject, type JsonValue } from '../internal/json.js';

// What the tags of one message may be in all, as JSON in UTF-8, and how many values they may hold.
const MAX_BYTES = 64 * 1024;
const MAX_NODES = 5_000;
// How many times as much may be read to find out: tags that turn out too large cost as well. Beyond it, none is read.
const READ = 10;

interface Tag {
  readonly name: string;
  readonly value: JsonValue;
  readonly bytes: number;
  readonly nodes: number;
}

export interface TagRules {
  /** Names that a tag may not have. */
  isReserved(name: string): boolean;
  /** Called with each tag that is left out, and why. */
  drop(name: string, reason: string): void;
  /** Called with how many were left out because there is not room for all of them. */
  full(count: number): void;
  /** How much they may be in all. Default: 64 KiB, 5,000 values. */
  readonly limits?: Readonly<JsonBudget> | undefined;
}

/**
 * An app's tags as JSON: plain copies, at most 64 KiB and 5,000 values in all. A tag that JSON can't carry, that can't be
 * read or is too large is left out by itself; where all together are too large, the largest are.
 *
 * @param layers the nearest first: of two tags of the same name the nearer one counts
 */
export function copyTags(
  layers: readonly unknown[],
  { isReserved, drop, full, limits = { bytes: MAX_BYTES, nodes: MAX_NODES } }: TagRules,
): JsonObject {
  const tags: Tag[] = [];
  const seen = new Set<string>();
  const readable = { nodes: READ * limits.nodes, bytes: READ * limits.bytes };
  let left = 0;
  for (const layer of layers) {
    for (const name of keysOf(layer)) {
      if (readable.nodes <= 0 || readable.bytes <= 0) {
        left++;
        continue;
      }
      readable.nodes--;
      if (seen.has(name)) continue;
      if (isReserved(name)) {
        drop(name, 'is a name that the recorder uses itself');
        continue;
      }
      const budget = { nodes: Math.min(limits.nodes, readable.nodes), bytes: Math.min(limits.bytes, readable.bytes) };
      const before = { ...budget };
      const copy = copyJson({ [name]: read(layer, name) }, budget);
      const nodes = before.nodes - Math.max(0, budget.nodes);
      const bytes = before.bytes - Math.max(0, budget.bytes);
      readable.nodes -= nodes;
      readable.bytes -= bytes;
      if ('problem' in copy) {
        drop(name, copy.problem.reason);
        if (copy.problem.isTooLarge) left++;
      } else if (Object.hasOwn(copy.value as JsonObject, name))
        tags.push({ name, value: (copy.value as JsonObject)[name] as JsonValue, bytes, nodes });
      // A tag that is undefined says nothing: the one of a farther layer stands.
      else continue;
      seen.add(name);
    }
  }
  const tooMany = largestBeyond(tags, limits);
  left += tooMany.size;
  if (left > 0) full(left);
  return Object.fromEntries(tags.filter(tag => !tooMany.has(tag)).map(({ name, value }) => [name, value]));
}

/** The largest tags, as many as have to go. */
function largestBeyond(tags: readonly Tag[], limits: Readonly<JsonBudget>): ReadonlySet<Tag> {
  let bytes = tags.reduce((sum, tag) => sum + tag.bytes, 0);
  let nodes = tags.reduce((sum, tag) => sum + tag.nodes, 0);
  const gone = new Set<Tag>();
  if (bytes <= limits.bytes && nodes <= limits.nodes) return gone;
  // Large is what takes much of either bound.
  const weight = (tag: Tag) => tag.bytes / limits.bytes + tag.nodes / limits.nodes;
  for (const tag of [...tags].sort((a, b) => weight(b) - weight(a))) {
    if (bytes <= limits.bytes && nodes <= limits.nodes) break;
    bytes -= tag.bytes;
    nodes -= tag.nodes;
    gone.add(tag);
  }
  return gone;
}

function keysOf(tags: unknown): string[] {
  try {
    // A text has keys, too: one for each of its characters.
    return typeof tags === 'object' && tags !== null ? Object.keys(tags) : [];
  } catch {
    return [];
  }
}

function read(tags: unknown, name: string): unknown {
  try {
    return (tags as Record<string, unknown>)[name];
  } catch {
    return () => 'a getter that throws is not JSON';
  }
}
