// A server that quotes a message quotes at least this much of it; shorter runs are shared by any two texts.
const QUOTE = 12;

/**
 * Makes a server's words fit for an error message: an API key in them is masked, and words that quote a message are
 * withheld, because an error ends in a log and a message's text must not.
 */
export function scrubber(apiKey: string, contents: readonly string[]): (text: string) => string {
  return text => {
    const masked = text.replaceAll(apiKey, '***');
    return contents.some(content => quotes(masked, content)) ? '(withheld: it quotes a message)' : masked;
  };
}

function quotes(text: string, content: string): boolean {
  if (content.trim() === '') return false;
  if (content.length < QUOTE) return text.includes(content);
  for (let start = 0; start + QUOTE <= text.length; start++)
    if (content.includes(text.slice(start, start + QUOTE))) return true;
  return false;
}
