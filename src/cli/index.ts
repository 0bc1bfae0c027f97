/**
 * `synap-recorder/cli`: for commands that stand beside this one, as those of `synap-recorder-local` do.
 *
 * It exports what both command lines must do alike: exit codes, the check of Node's version, text that can't control the
 * terminal, lines of JSON, output whose reader may go away, progress on stderr. It imports nothing that an old Node
 * lacks, so that {@link nodeProblem} can be asked first.
 */

export { env } from '../internal/env.js';
export { EXIT, Exit, type ExitCode } from './exit-code.js';
export { nodeProblem } from './node-version.js';
export { endWithReader, errorLine, jsonLine, note, print } from './output.js';
export { type Progress, ProgressBar } from './progress-bar.js';
export { columns, harmless, harmlessLine, styled, visible } from './terminal.js';
