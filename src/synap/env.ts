/** A variable of the environment; undefined where it is empty, and in a runtime that has no environment. */
export function env(name: string): string | undefined {
  const value = typeof process === 'undefined' ? undefined : process.env?.[name];
  return value === '' ? undefined : value;
}
