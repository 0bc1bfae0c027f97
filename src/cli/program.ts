import { Command, CommanderError } from 'commander';
import { VERSION } from '../version.js';
import { addLocalCommand } from './local.js';
import { addOutboxCommand } from './outbox.js';

/** Runs the command line and returns the exit code: 0, 2 when it was called the wrong way, 1 for any other error. */
export async function run(argv: readonly string[]): Promise<number> {
  const program = new Command('synap-recorder')
    .description('Records the conversations of an AI app into Synap.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) });
  addLocalCommand(program);
  addOutboxCommand(program);
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(oneLine(`error: ${error instanceof Error ? error.message : String(error)}`));
    return 1;
  }
}

/** Commander puts its "did you mean" on a line of its own. */
function oneLine(text: string): string {
  return `${text.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`;
}
