/** Where the recorder says what a person should know. `console` is one. It is never given a key or a message's text. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

const NAME = '[synap-recorder]';

/** A logger whose exceptions stay here; without one, warnings and errors go to the console. */
export function safeLogger(logger: Logger | false | undefined): Logger {
  if (logger === false) return { info() {}, warn() {}, error() {} };
  const to = logger ?? { info() {}, warn: console.warn, error: console.error };
  const safely = (level: keyof Logger) => (message: string) => {
    try {
      // A log that can't be written must not reach the app, whether it throws or rejects.
      const written: unknown = to[level](`${NAME} ${message}`);
      if (isThenable(written)) written.then(undefined, () => {});
    } catch {}
  };
  return { info: safely('info'), warn: safely('warn'), error: safely('error') };
}

/** Whether somebody answered with a promise where no answer was asked for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
