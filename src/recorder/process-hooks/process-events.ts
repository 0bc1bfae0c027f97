/**
 * Adds listeners to the process. Where there is no Node.js there is no process, or one without events, or, as in Next.js's
 * edge runtime, one whose every method throws.
 *
 * @returns whether it could
 */
export function listened(add: (process: NodeJS.Process) => void): boolean {
  try {
    if (typeof process === 'undefined' || typeof process.on !== 'function') return false;
    add(process);
    return true;
  } catch {
    return false;
  }
}
