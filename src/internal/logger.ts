import { isPromise } from './promises.js';

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
      if (isPromise(written)) written.then(undefined, () => {});
    } catch {}
  };
  return { info: safely('info'), warn: safely('warn'), error: safely('error') };
}
