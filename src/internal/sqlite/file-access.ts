import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseFileError } from './errors.js';

const OTHERS_READ_OR_WRITE = 0o066;
const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
// In a folder with this bit, as /tmp has it, nobody removes what is another's.
const STICKY = 0o1000;

/**
 * Who else can get at a database file that is there: it holds what people said. Windows has other rights, and says nothing.
 *
 * @returns what to warn of, in words that name the file and what to do
 * @throws {@link DatabaseFileError} somebody else has put a link in its place, or a file into a folder that is everybody's:
 *   what is written there would be theirs
 */
export function checkFileAccess(path: string): string[] {
  const user = process.getuid?.();
  if (user === undefined) return [];
  const link = lstatSync(path, { throwIfNoEntry: false });
  const folder = statSync(dirname(path), { throwIfNoEntry: false });
  const ofFolder = folder ? folderWarnings(dirname(path), folder) : [];
  if (link === undefined) return ofFolder;
  const ofLink = link.isSymbolicLink() ? linkWarnings(path, link, user) : [];
  const file = statSync(path);
  if (!file.isFile()) return [...ofFolder, ...ofLink];
  return [...ofFolder, ...ofLink, ...fileWarnings(path, file, user, folder)];
}

function linkWarnings(path: string, link: Stats, user: number): string[] {
  if (!isTrusted(link.uid, user))
    throw refused(`${path} is a symbolic link that belongs to another user (uid ${link.uid}): remove it`);
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined)
    throw refused(`${path} is a symbolic link to a file that does not exist: remove it, or make that file`);
  const target = realpathSync(path);
  // The root user may follow a link to anybody's file: nobody else could have put it there, but nobody has asked for that.
  if (file.uid !== user && file.uid !== 0)
    throw refused(`${path} is a symbolic link to a file of another user (uid ${file.uid}), ${target}: remove it`);
  return [`${path} is a symbolic link: what is written goes to ${target}`];
}

function fileWarnings(path: string, file: Stats, user: number, folder: Stats | undefined): string[] {
  const warnings: string[] = [];
  if (user !== 0 && !isTrusted(file.uid, user)) {
    if (folder && folder.mode & OTHERS_WRITE)
      throw refused(
        `${path} belongs to another user (uid ${file.uid}), in a folder where everybody may put files: remove it`,
      );
    warnings.push(
      `${path} belongs to another user (uid ${file.uid}), who can read what is written to it: choose another file`,
    );
  }
  if (file.mode & OTHERS_READ_OR_WRITE)
    warnings.push(`${path} can be read or written by other users (mode ${modeOf(file)}): run chmod 600 on it`);
  return warnings;
}

function folderWarnings(path: string, folder: Stats): string[] {
  const isOpen = folder.mode & OTHERS_WRITE || (folder.mode & GROUP_WRITES && folder.gid !== process.getgid?.());
  if (!isOpen || folder.mode & STICKY) return [];
  return [
    `the folder ${path} can be written by other users (mode ${modeOf(folder)}), who can put another file in the place of one: run chmod go-w on it, or choose another folder`,
  ];
}

/** Whoever is the root user can read it anyway. */
function isTrusted(owner: number, user: number): boolean {
  return owner === user || owner === 0;
}

function modeOf({ mode }: Stats): string {
  return `0${(mode & 0o777).toString(8)}`;
}

function refused(message: string): DatabaseFileError {
  return new DatabaseFileError('inaccessible', `${message}, or choose another file`);
}
