/** The longest id of a user, customer or session, in characters. A longer one is no id; cut, it might be somebody else's. */
const MAX_ID = 1024;
/** The longest id of a conversation: it is sent as a UUID that is made of it. */
export const MAX_CONVERSATION_ID = 65_536;

// What JavaScript writes for a value that is not there, or that is no text: as a whole, exactly so written. A person may
// be called "Null"; `user-undefined` may be an id.
const NOT_THERE =
  /^(?:undefined|null|NaN|[+-]?Infinity|true|false|Invalid Date|\{\}|\[\]|\[object [^\]]*\](?:,\[object [^\]]*\])*|Symbol\([\s\S]*\))$/;
// The source of a function that was written out instead of called.
const SOURCE = /^(?:async\s+)?(?:function\b[^(]{0,200}\(|class\b[^{]{0,200}\{|(?:\([^)]{0,200}\)|[\w$]{1,100})\s*=>)/;

/**
 * An id that names somebody or something, or a text that {@link isUnknown} knows again; undefined where there is none.
 *
 * Absent (`undefined`, `null`, an empty or blank text) is what an app says of what it does not know: the next layer may
 * know it. A value that was made of something missing (`NaN`, `"undefined"`, `"[object Object]"`) is not absent: it names
 * somebody, and nobody knows whom. Numbers (database keys) are written out.
 */
export function readId(value: unknown, maxLength = MAX_ID): string | undefined {
  switch (typeof value) {
    case 'string':
      // The length comes first: a text of many megabytes is not read.
      if (value.length > maxLength) return `[object String of ${value.length} characters]`;
      return value.trim() === '' ? undefined : value.toWellFormed();
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'undefined':
      return undefined;
    case 'symbol':
      return 'Symbol()';
    case 'function':
      return '[object Function]';
    default:
      if (value === null) return undefined;
      return isNativePromise(value as object) ? '[object Promise]' : '[object Object]';
  }
}

/** Whether an id names nobody: it was made of a value that is not there, or that is no id. */
export function isUnknown(id: string): boolean {
  const text = unquoted(id.trim());
  return NOT_THERE.test(text) || SOURCE.test(text);
}

/** An id that names somebody; undefined for every other value. */
export function knownId(value: unknown, maxLength?: number): string | undefined {
  const id = readId(value, maxLength);
  return id === undefined || isUnknown(id) ? undefined : id;
}

/** What became of a value that names nobody, for a log line. It holds nothing that an app may have meant to keep. */
export function whatIsUnknown(id: string): string {
  const text = unquoted(id.trim());
  const long = /^\[object String of (\d+) characters\]$/.exec(text);
  if (long) return `has ${long[1]} characters: that is no id`;
  if (text === '[object Promise]') return 'is a promise: await it';
  if (text === '[object Function]' || SOURCE.test(text)) return 'is a function, not what it returns: call it';
  if (text.startsWith('Symbol(')) return 'is a symbol: pass a text';
  if (text.startsWith('[object '))
    return `is ${JSON.stringify(text.slice(0, 40))}: it was made from an object. Pass a text, such as String(user._id)`;
  return `is ${JSON.stringify(text)}: it was made from a value that is not there`;
}

function unquoted(text: string): string {
  return /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text;
}

/** A promise of any realm. */
function isNativePromise(value: object): boolean {
  try {
    return Object.prototype.toString.call(value) === '[object Promise]';
  } catch {
    return false;
  }
}
