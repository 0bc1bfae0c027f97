import { isPromise } from '../internal/promises.js';

/** Where the recorder says what a person should know. `console` is one. It is never given a key or a message's text. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** A logger that says nothing any longer once `isOver` does. */
export function loggerUntil(isOver: () => boolean, { info, warn, error }: Logger): Logger {
  const unless = (write: (message: string) => void) => (message: string) => {
    if (!isOver()) write(message);
  };
  return { info: unless(info), warn: unless(warn), error: unless(error) };
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
      if (isPromise(written)) written.then(undefined, () => {});
    } catch {}
  };
  return { info: safely('info'), warn: safely('warn'), error: safely('error') };
}
