import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PlatformError } from './platform-error.ts';

/** Replaces a file as a whole (0600 in a 0700 folder): after a crash there is the old or the new one, never a part. */
export function writePrivateFile(path: string, text: string): void {
  makePrivateFolder(dirname(path));
  const temporary = `${path}.${randomUUID()}`;
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw unusable(path, error);
  }
}

/** Makes the folder, closed to others, where it is missing. One that is there stays as it is: it may be somebody else's. */
export function makePrivateFolder(folder: string): void {
  try {
    makeMissingFolders(resolve(folder));
  } catch (error) {
    throw unusable(folder, error);
  }
}

/** Not by mkdir's own `recursive`: it never ends where a folder is there and takes nothing new, as in /proc. */
function makeMissingFolders(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(folder) !== folder) makeMissingFolders(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Somebody else was as fast.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it cannot be made there',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of its path is not a folder',
  EEXIST: 'a part of its path is not a folder',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'its name is too long',
};

/** Why a file or folder can't be written, in a few words. */
export function whyUnusable(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}

function unusable(path: string, error: unknown): PlatformError {
  return new PlatformError('folder-unusable', `Cannot write ${path}: ${whyUnusable(error)}.`, {
    cause: error,
  });
}
