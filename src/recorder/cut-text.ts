/** A text of `most` characters at most, whole ones only, with a mark after them where it was longer. */
export function cutText(text: string, most: number): string {
  return text.length <= most ? text : `${head(text, most)}…`;
}

/** The first `most` characters, but not half of one. */
export function head(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  const cut = text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
  // V8 keeps the whole of a text for as long as a slice of it lives; a copy does not.
  return JSON.parse(JSON.stringify(cut));
}
