import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { anEntry, remoteOutbox, tempFile, WHOLE_TURN } from './outbox-support.js';

/** Whether this machine lets a user make mounts that only they see. */
function canMount(): boolean {
  try {
    execFileSync('bash', ['-c', within('mount --bind /tmp /tmp'), 'bash', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Runs what comes next where `mounts` are made, and nobody else sees them. */
const within = (mounts: string) =>
  `[ "$IN_MOUNTS" ] || IN_MOUNTS=1 exec unshare --map-root-user --mount bash -c '${mounts} && exec "$@"' bash "$@"`;

it.runIf(canMount())('a file that is mounted by itself is said when it is opened, and its folder is not', async () => {
  const path = tempFile();
  const source = join(dirname(path), 'source.db');
  for (const file of [path, source]) writeFileSync(file, '', { mode: 0o600 });
  const single = await remoteOutbox({ path }, { shell: within(`mount --bind "${source}" "${path}"`) });
  expect(await single.call('put', anEntry('a'), WHOLE_TURN)).toBe('accepted');
  const lines = await single.call<string[]>('log');
  expect(lines.filter(line => line.includes('is mounted as a single file'))).toEqual([
    expect.stringContaining(`mount the folder instead, ${dirname(path)}`),
  ]);
  const folder = await remoteOutbox(
    { path: source },
    { shell: within(`mount --bind "${dirname(path)}" "${dirname(path)}"`) },
  );
  expect(await folder.call('put', anEntry('b'), WHOLE_TURN)).toBe('accepted');
  expect(await folder.call('log')).toEqual([]);
});
