import { cutBeforeMasking, maskSecrets } from '../synap/mask-secrets.js';
import { cutText } from './cut-text.js';
import { withholdQuotes } from './withhold-quotes.js';

const MAX_TEXT = 500;
// Before keys are masked: masking makes a text shorter.
const MAX_READ = 4_000;
// A JSON text that is longer is no provider's error.
const MAX_JSON = 65_536;
const MAX_DEPTH = 6;
// How many properties are looked at: an error may be as large as the response that it holds.
const MAX_READS = 200;
const MAX_ERRORS = 3;

// Where providers and libraries put an error's text, the best first.
const TEXTS = ['message', 'error', 'detail', 'error_description', 'errorMessage', 'msg', 'reason', 'statusText'];
const BODIES = ['responseBody', 'body', 'response', 'data', 'errors', 'details', 'cause', 'title', 'description'];
const CODES = ['code', 'statusCode', 'status'];

// Names that say no more than that it is one.
export const PLAIN_NAMES = new Set(['', 'Error', 'error', 'Object', 'DOMException']);

/** What an error says: its name, where that says more than that it is one, and its text. */
export interface Told {
  readonly name?: string | undefined;
  readonly text?: string | undefined;
}

/** Reads one error, and no more of it than a bound: it may hold a whole response, itself, or getters that throw. */
export class ErrorReader {
  #reads = 0;
  readonly #open = new Set<unknown>();

  read(value: unknown, depth: number): Told {
    if (depth > MAX_DEPTH || this.#reads >= MAX_READS || this.#open.has(value)) return {};
    switch (typeof value) {
      case 'string':
        return this.#text(value, depth);
      case 'number':
      case 'bigint':
        return { text: String(value) };
      case 'boolean':
        // `{ error: true }` says no more than that it is one.
        return { text: depth === 0 ? String(value) : undefined };
      case 'symbol':
        return { text: value.description || undefined };
      case 'object':
        if (value === null) return {};
        this.#open.add(value);
        try {
          return isList(value) ? { text: this.#list(value, depth) } : this.#object(value, depth);
        } finally {
          this.#open.delete(value);
        }
      default:
        return {};
    }
  }

  /** A property, as far as it can be read. What a library has put on `Object.prototype` is nobody's. */
  get(value: object, name: string): unknown {
    this.#reads++;
    try {
      const property = (value as Record<string, unknown>)[name];
      return Object.hasOwn(Object.prototype, name) && !Object.hasOwn(value, name) ? undefined : property;
    } catch {
      return undefined;
    }
  }

  #text(text: string, depth: number): Told {
    const head = text.length > MAX_JSON ? text : text.trim();
    // Some SDKs write the status before the JSON of the answer.
    const json = head.length <= MAX_JSON ? /^(\d{3}\s+)?([{[][\s\S]*[}\]])$/.exec(head) : null;
    if (json) {
      const { name, text: said } = this.read(parsed(json[2] ?? ''), depth + 1);
      if (said !== undefined) return { name, text: said };
    }
    return head.length > MAX_JSON ? { text: head.slice(0, MAX_JSON) } : { text: head || undefined };
  }

  #object(value: object, depth: number): Told {
    const name = this.#name(value);
    for (const place of TEXTS) {
      const told = this.read(this.get(value, place), depth + 1);
      if (told.text !== undefined) return this.#named(value, name, told, place, depth);
    }
    for (const place of BODIES) {
      const told = this.read(this.get(value, place), depth + 1);
      if (told.text !== undefined) return { name: name ?? told.name, text: named(told, name) };
    }
    for (const place of CODES) {
      const code = this.get(value, place);
      if (typeof code === 'number' || (typeof code === 'string' && code !== '' && code !== name))
        return { name, text: `${place === 'code' ? 'code' : 'status'} ${String(code)}` };
    }
    return { name, text: this.#written(value) };
  }

  #named(value: object, name: string | undefined, told: Told, place: string, depth: number): Told {
    if (place !== 'message') return { name: name ?? told.name, text: named(told, name) };
    const errors = name === 'AggregateError' ? this.get(value, 'errors') : undefined;
    const list = isList(errors) ? this.#list(errors, depth + 1) : undefined;
    const text = named(told, name);
    return { name: name ?? told.name, text: list === undefined ? text : `${text}: ${list}` };
  }

  #name(value: object): string | undefined {
    for (const place of ['name', 'type', 'code']) {
      const name = this.get(value, place);
      // A code beside an Error's message is mostly in the message, too.
      if (place === 'code' && isError(value)) break;
      if (typeof name !== 'string' || name.length > 100 || PLAIN_NAMES.has(name.trim())) continue;
      // A Response, an Event and many records have a type as well.
      if (place !== 'type' || /_|error|exception/i.test(name)) return name.trim();
    }
    return undefined;
  }

  #list(values: readonly unknown[], depth: number): string | undefined {
    const texts: string[] = [];
    for (let index = 0; index < MAX_ERRORS && index < lengthOf(values); index++) {
      const { name, text } = this.read(this.get(values, String(index)), depth + 1);
      const whole = text === undefined ? name : name === undefined ? text : `${name}: ${text}`;
      if (whole !== undefined && !texts.includes(whole)) texts.push(whole);
    }
    return texts.length === 0 ? undefined : texts.join('; ');
  }

  /** What its own toString says. */
  #written(value: object): string | undefined {
    this.#reads++;
    try {
      const write: unknown = value.toString;
      if (typeof write !== 'function' || isError(value)) return undefined;
      const written: unknown = write.call(value);
      return typeof written === 'string' && written !== '' && !/^\[object /.test(written)
        ? written.slice(0, MAX_JSON)
        : undefined;
    } catch {
      return undefined;
    }
  }
}

/** The text of an inner error, with its name where the outer one has another. */
function named({ name, text = '' }: Told, outer: string | undefined): string {
  return name === undefined || outer === undefined || name === outer || PLAIN_NAMES.has(name)
    ? text
    : `${name}: ${text}`;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** An error of any realm. */
function isError(value: object): boolean {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
  } catch {
    return false;
  }
}

function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    // A revoked proxy.
    return false;
  }
}

function lengthOf(list: readonly unknown[]): number {
  try {
    return list.length;
  } catch {
    return 0;
  }
}

/** An Error goes by its name, as it would in a log; what is none goes by one that says more than that. */
export function withName(error: unknown, { name, text }: Told): Told {
  const isPlain = name === undefined && text !== undefined && typeof error === 'object' && error !== null;
  return isPlain && isError(error) ? { name: 'Error', text } : { name, text };
}

/** What the text of an error may not hold. */
export interface Withheld {
  /** Keys, such as the recorder's own. */
  readonly secrets?: readonly (string | undefined)[] | undefined;
  /** What was said in the turn: an error goes past `redact`, so it may not quote any of it. */
  readonly texts?: Iterable<string> | undefined;
}

/** What was read, on one line, without keys, credentials and quotes of the turn, cut to 500 characters. */
export function oneLine({ name: said, text }: Told, { secrets, texts = [] }: Withheld): string | undefined {
  const whole = text === undefined ? said : said === undefined || text.startsWith(said) ? text : `${said}: ${text}`;
  if (whole === undefined) return undefined;
  const line = cutBeforeMasking(whole, MAX_READ)
    .replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .toWellFormed();
  return cutText(withholdQuotes(maskSecrets(line, secrets), texts), MAX_TEXT) || undefined;
}
