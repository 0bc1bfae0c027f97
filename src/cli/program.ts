import { VERSION } from '../version.js';
import { commandHelp, programHelp } from './command.js';
import { readCommandLine, UsageError } from './command-line.js';
import { doctorCommand } from './doctor/command.js';
import { EXIT, Exit } from './exit-code.js';
import { outboxCommand } from './outbox/command.js';
import { endWithReader, errorLine, print } from './output.js';

const COMMANDS = [outboxCommand, doctorCommand];

const DESCRIPTION = 'Records the conversations of an AI app into Synap.';

const MORE = `
To run a Synap on this machine, and to read its transcripts: npx synap-recorder-local --help

Exit codes:
  0    done
  1    it failed, or doctor found something wrong
  2    invalid usage
`;

/** Commands that the local Synap's package has, and what they are called there. */
const MOVED: Readonly<Record<string, string>> = {
  local: 'serve',
  tail: 'tail',
  show: 'show',
  import: 'import',
  export: 'export',
  forget: 'forget',
};

/** Runs the command line and returns the exit code, one of {@link EXIT}. */
export async function run([, , ...words]: readonly string[]): Promise<number> {
  endWithReader({ onlyWrites: words[0] === 'outbox' && words[1] === 'list' });
  try {
    return await call(words);
  } catch (error) {
    if (error instanceof Exit) return error.code;
    process.stderr.write(errorLine(`error: ${error instanceof Error ? error.message : String(error)}`));
    return error instanceof UsageError ? EXIT.usage : EXIT.error;
  }
}

async function call(words: readonly string[]): Promise<number> {
  const [first = ''] = words;
  const moved = Object.hasOwn(MOVED, first) ? MOVED[first] : undefined;
  // Not the whole line again: it may hold a key.
  if (moved !== undefined)
    throw new UsageError(
      `'${first}' belongs to synap-recorder-local: npx synap-recorder-local ${moved}${words.length > 1 ? ' …' : ''}`,
    );
  const call = readCommandLine(words, COMMANDS);
  if (call.kind === 'version') await print(`${VERSION}\n`);
  else if (call.kind === 'run') await call.command.run?.(call.argument, call.flags as object);
  else {
    const help = call.for ? commandHelp(call.for) : programHelp(DESCRIPTION, COMMANDS, MORE);
    if (!call.asked) {
      process.stderr.write(help);
      return EXIT.usage;
    }
    await print(help);
  }
  return EXIT.ok;
}
