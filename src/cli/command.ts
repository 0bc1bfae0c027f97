import { columns } from './terminal.js';

/** A flag of a command: `--state <state>`. */
export interface Flag {
  readonly type: 'string' | 'boolean';
  /** How its value is named in the help; of a `string`. */
  readonly value?: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** May be given more than once, and then has all its values. */
  readonly multiple?: boolean;
  /** @returns what is wrong with a value, as a sentence; undefined when nothing is */
  readonly problem?: (value: string) => string | undefined;
}

type Flags = Readonly<Record<string, Flag>>;

/** What the flags were given: those that were not are absent. */
export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]?: F[Name] extends { type: 'boolean' }
    ? true
    : F[Name] extends { multiple: true }
      ? readonly string[]
      : string;
};

export interface Command {
  /** As it is called: `outbox list`. */
  readonly name: string;
  /** For the list of all commands. */
  readonly summary: string;
  readonly description: string;
  /** The one thing that it takes, if it takes one. */
  readonly argument?: { readonly name: string; readonly description: string } | undefined;
  readonly flags: Flags;
  /** Stands below its help: examples, and what else there is to know. */
  readonly more: string;
  /** Commands whose names begin with this one's. Such a command does nothing itself. */
  readonly subcommands?: readonly Command[];
  run?(argument: string, flags: FlagValues<Flags>): Promise<void>;
}

/** Keeps the types of a command's flags together. */
export function defineCommand<const F extends Flags>(
  command: Omit<Command, 'flags' | 'run'> & {
    flags: F;
    run(argument: string, flags: FlagValues<F>): Promise<void>;
  },
): Command {
  const { run } = command;
  return { ...command, run: (argument, flags) => run(argument, flags as FlagValues<F>) };
}

const HELP_FLAG = '-h, --help';

export function commandHelp({ name, description, argument, flags, more, subcommands }: Command): string {
  const takes = subcommands ? ' [command]' : argument ? ` <${argument.name}>` : '';
  const options = Object.entries(flags).map(([flag, spec]): Row => [flagForm(flag, spec), flagText(spec)]);
  return sections(
    `Usage: synap-recorder ${name} [options]${takes}`,
    wrap(description, 0),
    argument && table('Arguments', [[argument.name, argument.description]]),
    table('Options', [...options, [HELP_FLAG, 'display help for command']]),
    subcommands && table('Commands', subcommands.map(rowOf(name))),
    more.trim(),
  );
}

export function programHelp(description: string, commands: readonly Command[], more: string): string {
  return sections(
    'Usage: synap-recorder [options] [command]',
    description,
    table('Options', [
      ['-V, --version', 'output the version number'],
      [HELP_FLAG, 'display help for command'],
    ]),
    table('Commands', [...commands.map(rowOf('')), ['help [command]', 'display help for command']]),
    more.trim(),
  );
}

/** `--state <state>`, as the help and the errors name it. */
export function flagForm(name: string, { value }: Flag): string {
  return value === undefined ? `--${name}` : `--${name} <${value}>`;
}

function flagText({ description, choices }: Flag): string {
  return choices ? `${description} (choices: ${choices.join(', ')})` : description;
}

type Row = readonly [name: string, text: string];

const rowOf =
  (parent: string) =>
  ({ name, argument, subcommands, summary }: Command): Row => [
    `${name.slice(parent.length).trim()}${subcommands ? ' [command]' : ' [options]'}${argument ? ` <${argument.name}>` : ''}`,
    summary,
  ];

function table(title: string, rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 4;
  const lines = rows.map(([name, text]) => `  ${name.padEnd(width - 2)}${wrap(text, width)}`);
  return `${title}:\n${lines.join('\n')}`;
}

function sections(...parts: (string | undefined)[]): string {
  return `${parts.filter(part => part !== undefined && part !== '').join('\n\n')}\n`;
}

const USUAL_COLUMNS = 80;
const MIN_ROOM = 30;

/** Breaks a text into lines that begin at a column; the first of them stands there already. */
function wrap(text: string, indent: number): string {
  const room = Math.max(MIN_ROOM, Math.min(columns(), USUAL_COLUMNS) - indent);
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}
