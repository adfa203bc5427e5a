import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Environment } from '../environment.ts';
import { EXIT, Failure } from '../failure.ts';

/** JOBBER_HOME, or `jobber` in the user's configuration folder. */
export function homeFolder(environment: Environment): string {
  return environment.home ?? join(environment.configHome ?? join(homedir(), '.config'), 'jobber');
}

/** Where `jobber up` keeps its databases and files unless told otherwise. */
export function dataFolder(environment: Environment): string {
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'jobber');
  return join(environment.dataHome ?? join(homedir(), '.local', 'share'), 'jobber');
}

/** Makes the folder if need be; it is closed to others from then on. */
export function ensureHomeFolder(folder: string): void {
  try {
    makeMissingFolders(resolve(folder));
    if ((statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
  } catch (error) {
    throw new Failure(
      `The folder ${folder} can't be used: ${reasonOf(error)}; make it writable, or set JOBBER_HOME to another folder`,
      { exitCode: EXIT.usage, reason: 'HOME_UNUSABLE', cause: error },
    );
  }
}

/** Not by mkdir's own `recursive`: it never ends where a folder is there and takes nothing new, as in /proc. */
function makeMissingFolders(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(folder) !== folder) makeMissingFolders(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another command was as fast.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/** A system error in words. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case 'ENOENT':
      return 'it does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a part of its path is not a directory';
    case 'ENOSPC':
      return 'the disk is full';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ELOOP':
      return 'too many symbolic links';
    case 'ENAMETOOLONG':
      return 'the name is too long';
    default:
      return code ?? (error instanceof Error ? error.message : String(error));
  }
}
