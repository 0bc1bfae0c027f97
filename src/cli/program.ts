import { Command, CommanderError } from 'commander';
import { VERSION } from '../version.js';
import { addDoctorCommand } from './doctor.js';
import { EXIT, Exit } from './exit-code.js';
import { addExportCommand } from '../../local/src/cli/export.js';
import { addImportCommand } from '../../local/src/cli/import.js';
import { addLocalCommand } from '../../local/src/cli/serve.js';
import { addOutboxCommand } from './outbox.js';
import { addShowCommand } from '../../local/src/cli/show.js';
import { addTailCommand } from '../../local/src/cli/tail.js';
import { harmlessLine } from './terminal.js';

const EXIT_CODES = `
Exit codes:
  0    done
  1    it failed, or doctor found something wrong
  2    it was called the wrong way
  3    import: some lines or messages were not taken, the others were
  130  broken off by Ctrl-C
`;

/** Runs the command line and returns the exit code, one of {@link EXIT}. */
export async function run(argv: readonly string[]): Promise<number> {
  const program = new Command('synap-recorder')
    .description('Records the conversations of an AI app into Synap.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .addHelpText('after', EXIT_CODES);
  addLocalCommand(program);
  addTailCommand(program);
  addShowCommand(program);
  addImportCommand(program);
  addExportCommand(program);
  addOutboxCommand(program);
  addDoctorCommand(program);
  endWithReader(argv);
  try {
    await program.parseAsync(argv);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof Exit) return error.code;
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    process.stderr.write(oneLine(`error: ${error instanceof Error ? error.message : String(error)}`));
    return EXIT.error;
  }
}

/**
 * `synap-recorder tail | head` has nobody left to write to: that is an end like any other. What does more than write goes
 * on, and ends with a code of its own.
 */
function endWithReader([, , command, subcommand]: readonly string[]): void {
  const onlyWrites = ['tail', 'show', 'export'].includes(command ?? '') || subcommand === 'list';
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const isGone = error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED';
    if (isGone && !onlyWrites) return;
    if (!isGone) process.stderr.write(oneLine(`error: the output can't be written: ${error.message}`));
    process.exit(isGone ? EXIT.ok : EXIT.error);
  });
  // Nobody is left to tell.
  process.stderr.on('error', () => {});
}

/** Commander puts its "did you mean" on a line of its own. */
function oneLine(text: string): string {
  return `${harmlessLine(text.trim().replaceAll(/\s*\n\s*/g, ' '))}\n`;
}
