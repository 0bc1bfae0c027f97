import { readFileSync, realpathSync } from 'node:fs';
import { mountOf, parseMountinfo, singleFileMount } from '../../internal/mountinfo.js';
import { type Check, ok, warning, wrong } from './check.js';

const NETWORK = /^(nfs|cifs|smb|9p|afs|ceph|glusterfs|lustre|fuse\.sshfs|fuse\.s3fs|fuse\.gcsfuse)/;

/** Checks what the file of an outbox lies on. Nothing is said where that can't be known: not on Linux, or no such file. */
export function checkMount(path: string | undefined): Check[] {
  if (path === undefined) return [];
  try {
    return [mountCheck(realpathSync(path), readFileSync('/proc/self/mountinfo', 'utf8'))];
  } catch {
    return [];
  }
}

/** @param mountinfo the content of `/proc/self/mountinfo` */
export function mountCheck(path: string, mountinfo: string): Check {
  const mounts = parseMountinfo(mountinfo);
  const mount = mountOf(path, mounts);
  if (mount === undefined) return ok('mount', `${path} is on a mount that is not told`);
  const { point, type } = mount;
  const single = singleFileMount(path, mounts);
  if (single) return wrong('mount', single.problem, single.advice);
  const isContainer = mounts.some(({ point, type }) => point === '/' && type === 'overlay');
  if (type === 'overlay' && isContainer)
    return warning(
      'mount',
      `${path} is in the container itself (overlay): it is gone when the container is replaced`,
      'mount a volume, and put the file there',
    );
  if (type === 'tmpfs' || type === 'ramfs')
    return warning('mount', `${point} is memory (${type}): it is gone after a restart`, 'put the file on a disk');
  if (NETWORK.test(type))
    return warning(
      'mount',
      `${point} is a network file system (${type}), on which SQLite can't lock reliably`,
      'put the file on a local disk; several machines share an outbox in PostgreSQL',
    );
  return ok('mount', `${point} (${type})`);
}
