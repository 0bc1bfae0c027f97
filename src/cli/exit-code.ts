/** What the command line ends with. */
export const EXIT = {
  ok: 0,
  /** Something failed; the one line on stderr says what, and what to do. Of `doctor`: something is wrong. */
  error: 1,
  /** Invalid usage. */
  usage: 2,
  /** `import`: some lines, or some messages, were not taken; the others were. */
  incomplete: 3,
  /** Interrupted (Ctrl-C) before it was done. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with an exit code, when all that there is to say has been said. */
export class Exit extends Error {
  override readonly name = 'Exit';
  readonly code: ExitCode;

  constructor(code: ExitCode) {
    super(`exit code ${code}`);
    this.code = code;
  }
}
