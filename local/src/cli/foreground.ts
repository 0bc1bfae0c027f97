import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * @returns whether the terminal's keys are for this process: one in the background (`&`) that reads its terminal is stopped by the
 * system. Where that can't be found out, it counts as in the foreground.
 */
export function isInForeground(): boolean {
  try {
    const [group, foreground] = process.platform === 'linux' ? fromProc() : fromPs();
    return group === foreground;
  } catch {
    return true;
  }
}

/** The process group of this process, and that in the foreground of its terminal. */
function fromProc(): (string | undefined)[] {
  // The name of the program, in parentheses, may hold anything.
  const [, , group, , , foreground] = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return [group, foreground];
}

function fromPs(): (string | undefined)[] {
  const fields = ['-o', 'pgid=,tpgid=', '-p', String(process.pid)];
  return execFileSync('ps', fields, { encoding: 'utf8' }).trim().split(/\s+/);
}
