// Words are compared so far and no farther: it is done where a turn ends, and the app waits for that.
const MAX_LENGTH = 20_000;

/** The words of a text, each once, in small letters. */
export function wordsOf(text: string): Set<string> {
  return new Set(
    text
      .slice(0, MAX_LENGTH)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [],
  );
}
