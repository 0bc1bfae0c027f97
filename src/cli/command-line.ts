import { parseArgs } from 'node:util';
import { type Command, type Flag, flagForm } from './command.js';

/** Invalid usage. The message is one line, without "error: ". */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What a command line asks for. `for`: the command, or the whole program when there is none. */
export type Call =
  | { readonly kind: 'help'; readonly for: Command | undefined; readonly asked: boolean }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly argument: string;
      readonly flags: Readonly<Record<string, string | true | readonly string[]>>;
    };

/**
 * Reads the words after the program's name.
 *
 * @throws UsageError
 */
export function readCommandLine(words: readonly string[], commands: readonly Command[]): Call {
  const [first, ...rest] = words;
  if (first === '--version' || first === '-V') return { kind: 'version' };
  if (first === undefined) return { kind: 'help', for: undefined, asked: false };
  if (isHelp(first)) return { kind: 'help', for: undefined, asked: true };
  if (first === 'help') return { ...readCommandLine([...rest.slice(0, 2), '--help'], commands) };
  if (first.startsWith('-')) throw unknownOption(first, ['version', 'help'], '');
  const command = find(first, commands, '');
  if (command.subcommands === undefined) return readFlags(command, rest);
  const [second, ...more] = rest;
  if (second === undefined || isHelp(second)) return { kind: 'help', for: command, asked: second !== undefined };
  if (second.startsWith('-')) throw unknownOption(second, ['help'], command.name);
  return readFlags(find(second, command.subcommands, command.name), more);
}

function find(word: string, commands: readonly Command[], parent: string): Command {
  const found = commands.find(({ name }) => name === `${parent} ${word}`.trim());
  if (found) return found;
  const names = commands.map(({ name }) => name.slice(parent.length).trim());
  throw new UsageError(`unknown command '${word}'${adviceOn(word, names, parent)}`);
}

function readFlags(command: Command, words: readonly string[]): Call {
  const known = Object.entries(command.flags).map(([name, { type }]) => [name, { type }] as const);
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries([...known, ['help', { type: 'boolean', short: 'h' }]]),
    // Its own errors don't know what was meant.
    strict: false,
    tokens: true,
  });
  const flags: Record<string, string | true | readonly string[]> = {};
  const given: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') given.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name === 'help') return { kind: 'help', for: command, asked: true };
    const flag = Object.hasOwn(command.flags, token.name) ? command.flags[token.name] : undefined;
    if (flag === undefined) throw unknownOption(token.rawName, [...Object.keys(command.flags), 'help'], command.name);
    const value = readValue(token.name, flag, token.value);
    const before = flags[token.name];
    flags[token.name] = flag.multiple && value !== true ? [...(Array.isArray(before) ? before : []), value] : value;
  }
  return { kind: 'run', command, argument: argumentOf(command, given), flags };
}

function readValue(name: string, flag: Flag, value: string | undefined): string | true {
  const form = flagForm(name, flag);
  if (flag.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`option '${form}' takes no value`);
    return true;
  }
  if (value === undefined) throw new UsageError(`option '${form}' needs a value`);
  const problem =
    flag.choices && !flag.choices.includes(value)
      ? `Allowed choices are ${flag.choices.join(', ')}.`
      : flag.problem?.(value);
  if (problem !== undefined) throw new UsageError(`option '${form}' argument '${value}' is invalid. ${problem}`);
  return value;
}

function argumentOf({ name, argument }: Command, given: readonly string[]): string {
  const expected = argument ? 1 : 0;
  if (given.length > expected) {
    const count = `Expected ${expected} argument${expected === 1 ? '' : 's'} but got ${given.length}`;
    throw new UsageError(`too many arguments for '${name}'. ${count}.`);
  }
  if (argument && given.length === 0)
    throw new UsageError(`missing required argument '${argument.name}': ${argument.description}`);
  return given[0] ?? '';
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h';
}

/** `command` is the one whose help lists what there is; empty for the whole program's. */
function unknownOption(word: string, names: readonly string[], command: string): UsageError {
  const [option = ''] = word.split('=');
  const options = names.map(name => `--${name}`);
  return new UsageError(`unknown option '${option}'${adviceOn(option, options, command)}`);
}

/** The name that was meant, or where to find all of them. */
function adviceOn(word: string, names: readonly string[], command: string): string {
  const letters = (name: string) => name.replace(/^-+/, '');
  const near = names
    .map(name => ({ name, edits: editDistance(letters(word), letters(name)) }))
    .filter(({ name, edits }) => edits <= Math.max(1, Math.min(3, letters(name).length * 0.4)))
    .sort((a, b) => a.edits - b.edits)[0];
  if (near) return ` (Did you mean ${near.name}?)`;
  return `. See ${['synap-recorder', command, '--help'].filter(Boolean).join(' ')}`;
}

/** How many letters to add, leave out, replace or swap with their neighbour. Of words as short as a flag. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return Number.POSITIVE_INFINITY;
  const row = (index: number) => rows[index] ?? [];
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  rows[0] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row(i - 1)[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (row(i - 2)[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row(i)[j] = Math.min((row(i - 1)[j] ?? 0) + 1, (row(i)[j - 1] ?? 0) + 1, replaced, swapped);
    }
  return row(a.length)[b.length] ?? 0;
}
