/**
 * A variable of the environment; undefined where it is empty, where the runtime has no environment, and where it may not be
 * read (Deno without `--allow-env`).
 */
export function env(name: string): string | undefined {
  try {
    const value = typeof process === 'undefined' ? undefined : process.env?.[name];
    return value === '' ? undefined : value;
  } catch {
    return undefined;
  }
}
