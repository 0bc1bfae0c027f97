import { readFileSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';

/** A mount of this process, as Linux tells it. */
export interface Mount {
  /** Where it is mounted: a folder, or a single file. */
  readonly point: string;
  /** For example `ext4`, `overlay`, `tmpfs`. */
  readonly type: string;
}

/**
 * Reads `/proc/self/mountinfo` (proc_pid_mountinfo(5)): `36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/sda1 rw`. Of
 * the optional fields there are any number, up to the dash. What is no such line is passed over.
 */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap(line => {
    const fields = line.split(' ');
    const point = fields[4];
    const dash = fields.indexOf('-', 6);
    const type = fields[dash + 1];
    return point === undefined || dash < 0 || type === undefined ? [] : [{ point: unescaped(point), type }];
  });
}

/** The mount that a file lies on: the innermost, and of several at one place the last. `path` is absolute, without links. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  const holds = ({ point }: Mount) => point === path || path.startsWith(point === '/' ? '/' : `${point}/`);
  return mounts.filter(holds).reduce<Mount | undefined>((inner, mount) => {
    return inner && inner.point.length > mount.point.length ? inner : mount;
  }, undefined);
}

/** What to say of a database that is mounted as a single file: the problem, and what to do. */
export interface SingleFileMount {
  readonly problem: string;
  readonly advice: string;
}

/**
 * Whether a database is a mount by itself. SQLite's log, and the memory that its users share, stand beside the file, under its
 * name: they stay in the container then, and of two containers on one file each has its own.
 */
export function singleFileMount(path: string, mounts: readonly Mount[]): SingleFileMount | undefined {
  if (mountOf(path, mounts)?.point !== path) return undefined;
  return {
    problem: `${path} is mounted as a single file: its log (${path}-wal) stays behind in this container, and messages in it are lost when that is replaced`,
    advice: `mount the folder instead, ${dirname(path)}`,
  };
}

/** The mounts of this process; none where they can't be known: not on Linux. */
function readMounts(): Mount[] {
  try {
    return parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch {
    return [];
  }
}

/** As {@link singleFileMount}, of this process's mounts and the file that a path leads to. */
export function checkSingleFileMount(path: string): SingleFileMount | undefined {
  try {
    return singleFileMount(realpathSync(path), readMounts());
  } catch {
    return undefined;
  }
}

/** Blanks and the like stand there as octal numbers: `\040`. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
