import { Command, CommanderError } from 'commander';
import { EXIT, Exit, endWithReader, errorLine } from 'synap-recorder/cli';
import { VERSION } from '../version.js';
import { addExportCommand } from './export.js';
import { addForgetCommand } from './forget.js';
import { addImportCommand } from './import.js';
import { addModelCommand } from './model.js';
import { addServeCommand } from './serve.js';
import { addShowCommand } from './show.js';
import { addTailCommand } from './tail.js';

const EXIT_CODES = `
Without a command, it runs serve: synap-recorder-local --port 9000

Exit codes:
  0    done
  1    failed
  2    invalid usage
  3    import: some lines or messages were not recorded, the others were
  130  interrupted (Ctrl-C)
`;

/** Runs the command line and returns the exit code, one of {@link EXIT}. */
export async function run([node = '', main = '', ...words]: readonly string[]): Promise<number> {
  const program = new Command('synap-recorder-local')
    .description('A Synap on your own machine, and its transcripts.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(errorLine(text)) })
    .addHelpText('after', EXIT_CODES);
  addServeCommand(program);
  addTailCommand(program);
  addShowCommand(program);
  addImportCommand(program);
  addExportCommand(program);
  addForgetCommand(program);
  addModelCommand(program);
  const [first] = words;
  endWithReader({ onlyWrites: first === 'tail' || first === 'show' || first === 'export' });
  try {
    await program.parseAsync([node, main, ...(isForServe(first) ? ['serve'] : []), ...words]);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof Exit) return error.code;
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    process.stderr.write(errorLine(`error: ${error instanceof Error ? error.message : String(error)}`));
    return EXIT.error;
  }
}

/** Not commander's default command, which would take a mistyped command's name for an argument. */
function isForServe(first: string | undefined): boolean {
  if (first === undefined) return true;
  return first.startsWith('-') && !['-h', '--help', '-V', '--version'].includes(first);
}
