/** What to write where a framework ends the process by itself soon after a signal; undefined where none is seen to. */
export function adviceOnSignals(): string | undefined {
  return undefined;
}
