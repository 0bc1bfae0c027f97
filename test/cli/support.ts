import { fileURLToPath } from 'node:url';
import { type CliOptions, runToEnd } from '../support/command-line.js';

export { envOf } from '../support/command-line.js';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Runs `synap-recorder` to its end. */
export const cli = (...args: string[]) => runToEnd(MAIN, args);

/** As {@link cli}, in an environment of its own. */
export const runCli = (args: readonly string[], options?: CliOptions) => runToEnd(MAIN, args, options);
