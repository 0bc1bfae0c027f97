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

/** Blanks and the like stand there as octal numbers: `\040`. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
