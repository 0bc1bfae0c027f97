/** A variable of the environment as it is; undefined where there is none, or where it may not be read. */
export function rawEnv(name: string): string | undefined {
  try {
    return typeof process === 'undefined' ? undefined : process.env?.[name];
  } catch {
    return undefined;
  }
}

/**
 * A variable of the environment, without the blanks and line breaks that stand around it in files; undefined where nothing is
 * left, where the runtime has no environment, and where it may not be read (Deno without `--allow-env`).
 */
export function env(name: string): string | undefined {
  return rawEnv(name)?.trim() || undefined;
}

/** Whether a value stands in quotes. Docker's `--env-file` and many deployment panels take those for a part of it. */
export function isQuoted(value: string): boolean {
  return /^(["'`]).*\1$/s.test(value);
}

/** Where a warning goes. `console` is one. */
export interface WarningLogger {
  warn(message: string): unknown;
}

/** Says that a variable can't be right. What the logger throws ends here. */
export function warn(logger: WarningLogger | false | undefined, message: string): void {
  if (logger === false) return;
  try {
    const written = (logger ?? console).warn(`[synap-recorder] ${message}`) as PromiseLike<unknown> | undefined;
    if (typeof written?.then === 'function') written.then(undefined, () => {});
  } catch {
    // A log that can't be written must not reach the app.
  }
}
