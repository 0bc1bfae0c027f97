// Where the file of an outbox lies, as /proc/self/mountinfo tells it.

import { expect, test } from 'vitest';
import { mountCheck } from '../../src/cli/doctor/mount.js';
import { mountOf, parseMountinfo } from '../../src/internal/mountinfo.js';

const CONTAINER = `722 640 0:117 / / rw,relatime master:312 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A:/var/lib/docker/overlay2/l/B
723 722 0:120 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
724 722 0:121 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
730 722 254:1 /var/lib/docker/volumes/outbox/_data /data rw,relatime master:1 - ext4 /dev/vda1 rw,discard
731 722 254:1 /home/me/outbox.db /app/outbox.db rw,relatime shared:7 master:1 propagate_from:2 - ext4 /dev/vda1 rw
732 722 254:1 /home/me/my\\040box.db /app/my\\040box.db rw,relatime - ext4 /dev/vda1 rw
733 722 0:55 / /mnt/share rw,relatime - nfs4 nas:/export rw
734 722 0:56 / /run/box rw - tmpfs tmpfs rw
735 722 0:57 / /data/hot rw - tmpfs tmpfs rw
`;

const HOST = `24 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
25 24 0:22 / /tmp rw,nosuid,nodev shared:9 - tmpfs tmpfs rw
26 24 254:2 / /home rw,relatime shared:11 - btrfs /dev/vda2 rw
`;

test('a line has any number of optional fields, and blanks in it are octal', () => {
  const mounts = parseMountinfo(CONTAINER);
  expect(mounts).toHaveLength(9);
  expect(mounts[4]).toEqual({ point: '/app/outbox.db', type: 'ext4' });
  expect(mounts[5]?.point).toBe('/app/my box.db');
});

test('what is no line of it is passed over', () => {
  expect(parseMountinfo('')).toEqual([]);
  expect(parseMountinfo('hello\n36 35 98:0 /\n36 35 98:0 / / rw - \n1 2 3 4 /x rw,- ext4')).not.toContainEqual({
    point: '/x',
    type: 'ext4',
  });
});

test.each([
  ['/data/outbox.db', '/data'],
  ['/data/hot/outbox.db', '/data/hot'],
  ['/database/outbox.db', '/'],
  ['/app/outbox.db', '/app/outbox.db'],
  ['/app/outbox.db-wal', '/'],
])('%s lies on %s', (path, point) => {
  expect(mountOf(path, parseMountinfo(CONTAINER))?.point).toBe(point);
});

test('of two mounts at one place the later one counts', () => {
  const twice = `${HOST}30 24 0:99 / /home rw - overlay overlay rw\n`;
  expect(mountOf('/home/box.db', parseMountinfo(twice))?.type).toBe('overlay');
});

test.each([
  [
    '/app/outbox.db',
    CONTAINER,
    'wrong',
    /mounted as a single file: .*outbox\.db-wal.* lost/,
    /^mount the folder instead, \/app$/,
  ],
  ['/app/my box.db', CONTAINER, 'wrong', /mounted as a single file/, /the folder/],
  ['/app/other.db', CONTAINER, 'warning', /in the container itself \(overlay\)/, /mount a volume/],
  ['/run/box/outbox.db', CONTAINER, 'warning', /is memory \(tmpfs\)/, /on a disk/],
  ['/mnt/share/outbox.db', CONTAINER, 'warning', /network file system \(nfs4\)/, /local disk/],
  ['/data/outbox.db', CONTAINER, 'ok', /^\/data \(ext4\)$/, undefined],
  ['/home/me/outbox.db', HOST, 'ok', /^\/home \(btrfs\)$/, undefined],
  ['/srv/outbox.db', HOST, 'ok', /^\/ \(ext4\)$/, undefined],
  ['/srv/outbox.db', '', 'ok', /not told/, undefined],
] as const)('%s is judged by its mount', (path, mountinfo, status, finding, advice) => {
  const check = mountCheck(path, mountinfo);
  expect(check.status).toBe(status);
  expect(check.finding).toMatch(finding);
  if (advice) expect(check.advice).toMatch(advice);
});
