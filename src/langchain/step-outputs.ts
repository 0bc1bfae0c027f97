import { isObject, text } from '../internal/guards.js';
import { messageText } from './content.js';
import { isSameData, jsonOf } from './json-values.js';
import type { LlmCall } from './llm-call.js';
import { callsTools, readMessage } from './messages.js';
import { eachMessage, plainValue } from './node-messages.js';
import { sizeOf } from './size-of.js';

/** A step inside a run, as it starts: a chain of its own, or a model's call. */
export interface StepStart {
  readonly isModel: boolean;
  /** Its place, from 0, where the run itself is a sequence. */
  readonly place: number | undefined;
  /** The name of its class, as LangChain tells it. */
  readonly className: string | undefined;
  /** The name of the run: the app's own, a node's, or the class's. */
  readonly name: string | undefined;
  /** Whether what it says may be for the user, as far as the app has named the nodes that speak. */
  readonly isNamed: boolean;
  readonly isParser: boolean;
  /** A parser's. */
  readonly input: unknown;
}

/** How a step has ended. */
export type StepResult = { readonly output: unknown } | { readonly call: LlmCall } | { readonly error: unknown };

/** The same, without holding an output of the app's own: while LangChain reports it, it has it, too. */
type KeptResult =
  | Exclude<StepResult, { readonly output: unknown }>
  | { readonly weak: WeakRef<object> }
  | { readonly plain: unknown };

/** A value that a parser made of what a model said. */
interface Parsed {
  /** As LangChain reports it. */
  readonly reported: unknown;
  readonly value: unknown;
  readonly call: LlmCall | undefined;
}

// An answer is among the last; an agent may run for long.
const MAX_KEPT = 20;
const MAX_NAMES = 20;

/** The parsers whose output is the text of their input, as bytes. */
const BYTES_PARSERS = new Set(['BytesOutputParser', 'HttpResponseOutputParser']);

/** What the steps of one run gave, as far as its own output does not tell it. */
export class StepOutputs {
  /** The values that agents with a response format have made in this run. */
  readonly responses: unknown[] = [];
  /** Whether, since a model was last asked, the graph has decided to end. */
  decidedToEnd = false;
  /** The messages that nodes gave which don't speak to the user. */
  readonly #fromOtherNodes = new WeakSet<object>();
  readonly #handedOn = new WeakSet<object>();
  readonly #parsed: Parsed[] = [];
  readonly #sequence: (string | undefined)[] = [];
  readonly #names: string[] = [];
  #lastPlace = -1;
  /** What the last step of the sequence that the run is has given. */
  #last: KeptResult | undefined;
  #size = 0;
  /** Bytes that a parser of LangChain's gave, as LangChain reports them, and the text that they are of. */
  #bytes: { readonly reported: unknown; readonly text: string } | undefined;

  /** Names of the steps that the run is made of, as far as they tell which chain it is. */
  get names(): readonly string[] {
    const sequence = this.#sequence.flatMap(name => name ?? []);
    return sequence.length > 0 ? sequence : this.#names.slice(0, 1);
  }

  /** About how many characters it holds. */
  get size(): number {
    return this.#size;
  }

  /** A step that the run itself has started. */
  started({ name, place }: StepStart): void {
    if (place !== undefined && place >= this.#lastPlace) {
      this.#lastPlace = place;
      this.#last = undefined;
    }
    if (place !== undefined && place < MAX_NAMES) this.#sequence[place] = name ?? 'step';
    else if (name !== undefined && this.#names.length < MAX_NAMES) this.#names.push(name);
  }

  /** A step has ended. */
  gave({ place }: StepStart, result: StepResult): void {
    if (place === undefined || place !== this.#lastPlace) return;
    const plain = 'output' in result ? plainValue(result.output) : undefined;
    if (!('output' in result)) this.#last = result;
    else this.#last = typeof plain === 'object' && plain !== null ? { weak: new WeakRef(plain) } : { plain };
  }

  /**
   * The run's own output. Before core 1.1, a sequence that is called as a batch reports the outputs of all its runs as the
   * output of each; its last step has this run's own.
   */
  ownOutput(output: unknown): unknown {
    const list = isObject(output) ? output.output : undefined;
    if (this.#last === undefined || !Array.isArray(list)) return output;
    const own = ownOf(list, this.#last);
    return own === undefined ? output : typeof own === 'object' ? own : { output: own };
  }

  /** `inputs` comes with the end where the input was streamed. */
  ended(step: StepStart, output: unknown, inputs: unknown, calls: readonly LlmCall[]): void {
    const { className, name, isNamed, isParser, input } = step;
    this.gave(step, { output });
    eachMessage(output, (message, isHandedOn) => {
      if (!isNamed) this.#fromOtherNodes.add(message);
      if (isHandedOn) this.#handedOn.add(message);
    });
    if (isEnd(output)) this.decidedToEnd = true;
    if (isObject(output) && isObject(output.structuredResponse)) {
      keep(this.responses, output.structuredResponse);
      this.#measure();
    }
    const isStructured = isParser || name?.startsWith('StructuredOutput') === true;
    if (!isStructured) return;
    const given = inputs ?? input;
    const reported = plainValue(output);
    const text = className !== undefined && BYTES_PARSERS.has(className) ? textOfInput(given) : undefined;
    if (text !== undefined) {
      this.#bytes = { reported, text };
      this.#measure();
    }
    if (typeof reported !== 'object' || reported === null || isBytes(reported)) return;
    const call = callOfInput(given, calls);
    keep(this.#parsed, {
      reported,
      value: inputs === undefined ? reported : wholeValue(className, reported, call),
      call,
    });
    this.#measure();
  }

  #measure(): void {
    // LangChain reports streamed bytes as an object of numbers.
    const bytes = (this.#bytes?.text.length ?? 0) * 8;
    this.#size = bytes + sizeOf(this.responses) + sizeOf(this.#parsed.map(({ reported, value }) => [reported, value]));
  }

  /** Whether a message, as it is in the state, is of a node that does not speak to the user. */
  isFromOtherNode(message: object): boolean {
    return this.#fromOtherNodes.has(message);
  }

  /** Whether a message, as it is in the state, came with a command that names the node to go to. */
  isHandedOn(message: object): boolean {
    return this.#handedOn.has(message);
  }

  /** The parser whose value this is. */
  parsedAs(value: object): Parsed | undefined {
    const exact =
      this.#parsed.findLast(({ reported }) => reported === value) ??
      this.#parsed.findLast(({ reported }) => isSameData(reported, value));
    return exact ?? this.#parsed.findLast(({ value: made, call }) => call?.streamed && isSumOf(made, value));
  }

  /** The text of an output of bytes: LangChain reports streamed ones as nonsense, so what they were made of counts. */
  textOfBytes(output: unknown): string | undefined {
    if (this.#bytes && isSameData(this.#bytes.reported, output)) return this.#bytes.text;
    if (!(output instanceof Uint8Array)) return undefined;
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(output);
    } catch {
      return undefined;
    }
  }
}

/** Whether an output is bytes, or what LangChain makes of streamed ones: an object of sums. */
export function isBytes(value: unknown): boolean {
  if (value instanceof Uint8Array) return true;
  if (!isObject(value) || typeof value['0'] !== 'number') return false;
  let index = 0;
  for (const key in value) {
    if (key !== String(index) || typeof value[key] !== 'number') return false;
    if (++index === 16) break;
  }
  return true;
}

/** Also one of another realm. */
export function isError(value: unknown): boolean {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > MAX_KEPT) list.shift();
}

function ownOf(list: readonly unknown[], last: KeptResult): unknown {
  if ('error' in last) return list.find(item => item === last.error) ?? list.find(isError);
  if ('call' in last)
    return list.find(item => {
      const message = readMessage(item);
      return message !== undefined && message.id === last.call.messageId && messageText(message) === last.call.text;
    });
  const own = 'weak' in last ? last.weak.deref() : last.plain;
  if (own === undefined) return undefined;
  return isSameData(own, list) ? undefined : list.find(item => isSameData(item, own));
}

// A branch of LangGraph's says where to go, as a name or as names; a node may, too, by a Command.
function isEnd(output: unknown): boolean {
  const value = isObject(output) && 'output' in output ? output.output : output;
  return (Array.isArray(value) ? value : [value]).some(
    target =>
      target === '__end__' ||
      (isObject(target) &&
        target.lg_name === 'Command' &&
        (Array.isArray(target.goto) ? target.goto : [target.goto]).includes('__end__')),
  );
}

function textOfInput(given: unknown): string | undefined {
  const value = isObject(given) && typeof given.input === 'string' ? given.input : given;
  if (typeof value === 'string') return value;
  const message = readMessage(value);
  return message?.speaker === 'ai' && !callsTools(message) ? messageText(message) : undefined;
}

function callOfInput(given: unknown, calls: readonly LlmCall[]): LlmCall | undefined {
  const id = text(isObject(given) ? given.id : undefined);
  const done = calls.filter(call => call.visible && call.state === 'done');
  return done.findLast(({ messageId }) => id !== undefined && messageId === id) ?? done.at(-1);
}

// These give an object again and again while it grows, or lists of what has changed: their sum is not the value.
function wholeValue(className: string | undefined, reported: object, call: LlmCall | undefined): unknown {
  const made = call?.toolArguments ?? [];
  switch (className) {
    case 'JsonOutputParser':
      return (call && jsonOf(call.text)) ?? reported;
    case 'JsonOutputKeyToolsParser':
    case 'JsonOutputFunctionsParser':
      return made[0] ?? reported;
    case 'JsonOutputToolsParser':
      return Array.isArray(reported) && made.length > 0 ? reported.slice(-made.length) : reported;
    default:
      return reported;
  }
}

/** Whether LangChain may have made this sum of the pieces of a streamed value: growing objects, or lists that grow. */
function isSumOf(made: unknown, sum: object): boolean {
  if (Array.isArray(made) && Array.isArray(sum)) return made.length > 0 && isSameData(made, sum.slice(-made.length));
  if (!isObject(made) || !isObject(sum)) return false;
  const keys = Object.keys(made);
  return keys.length === Object.keys(sum).length && keys.every(key => Object.hasOwn(sum, key));
}
