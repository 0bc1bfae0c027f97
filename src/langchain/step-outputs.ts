import { isObject, text } from '../internal/guards.js';
import { answerText } from './content.js';
import { isSameData, jsonOf } from './json-values.js';
import type { LlmCall } from './llm-call.js';
import { callsTools, readMessage } from './messages.js';

/** A step inside a run: a chain of its own, as it starts. */
export interface StepStart {
  /** The name of its class, as LangChain tells it. */
  readonly className: string | undefined;
  /** The name of the run: the app's own, a node's, or the class's. */
  readonly name: string | undefined;
  readonly isParser: boolean;
  /** A parser's. */
  readonly input: unknown;
}

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
  readonly #parsed: Parsed[] = [];
  readonly #sequence: (string | undefined)[] = [];
  readonly #names: string[] = [];
  #text: string | undefined;

  /** Names of the steps that the run is made of, as far as they tell which chain it is. */
  get names(): readonly string[] {
    const sequence = this.#sequence.flatMap(name => name ?? []);
    return sequence.length > 0 ? sequence : this.#names.slice(0, 1);
  }

  /** A step, or a model's call, that the run itself has started. */
  started(name: string | undefined, tags: readonly string[] | undefined): void {
    const place = placeInSequence(tags);
    if (place !== undefined && place < MAX_NAMES) this.#sequence[place] = name ?? 'step';
    else if (name !== undefined && this.#names.length < MAX_NAMES) this.#names.push(name);
  }

  modelStarted(): void {
    this.decidedToEnd = false;
  }

  /** `inputs` comes with the end where the input was streamed. */
  ended({ className, name, isParser, input }: StepStart, output: unknown, inputs: unknown, calls: readonly LlmCall[]) {
    if (isEnd(output)) this.decidedToEnd = true;
    if (isObject(output) && isObject(output.structuredResponse)) keep(this.responses, output.structuredResponse);
    const isStructured = isParser || name?.startsWith('StructuredOutput') === true;
    if (!isStructured) return;
    const given = inputs ?? input;
    if (className !== undefined && BYTES_PARSERS.has(className)) this.#text = textOfInput(given);
    const reported = isObject(output) && Object.keys(output).join() === 'output' ? output.output : output;
    if (typeof reported !== 'object' || reported === null || isBytes(reported)) return;
    const call = callOfInput(given, calls);
    keep(this.#parsed, { reported, value: inputs === undefined ? reported : wholeValue(className, reported, call), call });
  }

  /** The parser whose value this is. */
  parsedAs(value: object): Parsed | undefined {
    const exact =
      this.#parsed.findLast(({ reported }) => reported === value) ??
      this.#parsed.findLast(({ reported }) => isSameData(reported, value));
    // LangChain reports a streamed output as the sum of its pieces: of growing objects that is nonsense, with their keys.
    return exact ?? this.#parsed.findLast(({ value: made, call }) => call?.streamed && hasSameKeys(made, value));
  }

  /** The text of an output of bytes: LangChain reports streamed ones as nonsense, so what they were made of counts. */
  textOfBytes(output: unknown): string | undefined {
    if (this.#text !== undefined) return this.#text;
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

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > MAX_KEPT) list.shift();
}

/** From 0; undefined for a step that is in no sequence. */
function placeInSequence(tags: readonly string[] | undefined): number | undefined {
  for (const tag of tags ?? []) if (tag.startsWith('seq:step:')) return Number(tag.slice('seq:step:'.length)) - 1;
  return undefined;
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
  return message?.speaker === 'ai' && !callsTools(message) ? answerText(message.content) : undefined;
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

function hasSameKeys(made: unknown, value: object): boolean {
  if (!isObject(made) || !isObject(value)) return false;
  const keys = Object.keys(made);
  return keys.length === Object.keys(value).length && keys.every(key => Object.hasOwn(value, key));
}
