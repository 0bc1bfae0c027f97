import { chmodSync, lchownSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkFileAccess } from '../../src/internal/sqlite/file-access.js';
import { sqliteOutbox } from '../../src/outbox/sqlite/index.js';
import { anEntry, listen, NO_LIMITS, tempFile, WHOLE_TURN } from '../delivery/outbox-support.js';

const isRoot = process.getuid?.() === 0;

async function used(path: string) {
  const { logger, lines } = listen();
  const outbox = sqliteOutbox({ path });
  outbox.open?.(logger);
  const result = await outbox.put(anEntry('a'), WHOLE_TURN);
  const isInFile = outbox.stats().pending === 1;
  return { outbox, lines, result, isInFile };
}

describe.runIf(process.getuid)('an outbox file', () => {
  it('is its owner’s only, with all that stands beside it', async () => {
    const path = tempFile();
    const before = process.umask(0);
    const { outbox, lines } = await used(path);
    await outbox.claim(NO_LIMITS);
    process.umask(before);
    for (const end of ['', '-wal', '-shm', '-owner'])
      expect((statSync(path + end).mode & 0o777).toString(8)).toBe('600');
    expect(lines).toEqual([]);
    await outbox.close();
  });

  it.each([0o666, 0o644, 0o640, 0o602])(
    'that others can read or write is warned of, once, and used (mode %o)',
    async mode => {
      const path = tempFile();
      writeFileSync(path, '');
      chmodSync(path, mode);
      const { outbox, lines, result } = await used(path);
      expect(lines).toEqual([
        expect.stringContaining(`can be read or written by other users (mode 0${mode.toString(8)}): run chmod 600`),
      ]);
      expect(result).toBe('accepted');
      await outbox.close();
      const again = await used(path);
      expect(again.lines).toEqual([]);
      await again.outbox.close();
    },
  );

  it('in a folder that others can write to is warned of', async () => {
    const path = tempFile();
    chmodSync(dirname(path), 0o777);
    const { outbox, lines } = await used(path);
    expect(lines).toEqual([expect.stringContaining('can be written by other users (mode 0777)')]);
    await outbox.close();
    chmodSync(dirname(path), 0o755);
    expect(checkFileAccess(path)).toEqual([]);
    chmodSync(dirname(path), 0o1777);
    expect(checkFileAccess(path)).toEqual([]);
  });

  it('that is a link is warned of, and the file behind it is used', async () => {
    const path = tempFile();
    const target = join(dirname(path), 'target.db');
    writeFileSync(target, '', { mode: 0o600 });
    symlinkSync(target, path);
    const { outbox, lines } = await used(path);
    expect(lines).toEqual([expect.stringContaining(`is a symbolic link: what is written goes to ${target}`)]);
    await outbox.close();
    expect(statSync(target).size).toBeGreaterThan(0);
  });

  it('that is a link to nowhere is refused: messages wait in memory', async () => {
    const path = tempFile();
    symlinkSync(join(dirname(path), 'nowhere.db'), path);
    const { outbox, lines, result } = await used(path);
    expect(lines).toEqual([expect.stringContaining('is a symbolic link to a file that does not exist: remove it')]);
    expect(result).toBe('accepted');
    expect(await outbox.close()).toHaveLength(1);
  });

  it.runIf(isRoot)('that is somebody else’s link, or a link to somebody else’s file, is refused', async () => {
    const theirs = tempFile();
    symlinkSync(tempFile(), theirs);
    lchownSync(theirs, 65_534, 65_534);
    expect(() => checkFileAccess(theirs)).toThrow(/symbolic link that belongs to another user \(uid 65534\)/);
    const mine = tempFile();
    const target = tempFile();
    writeFileSync(target, '', { mode: 0o600 });
    lchownSync(target, 65_534, 65_534);
    symlinkSync(target, mine);
    expect(() => checkFileAccess(mine)).toThrow(/symbolic link to a file of another user \(uid 65534\)/);
    const { outbox, lines } = await used(mine);
    expect(lines).toHaveLength(1);
    expect(statSync(target).size).toBe(0);
    await outbox.close();
  });
});
