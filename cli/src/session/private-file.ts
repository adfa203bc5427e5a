import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { EXIT, Failure } from '../failure.ts';
import { ensureHomeFolder, reasonOf } from './folder.ts';

/**
 * Replaces a file as a whole (0600 in a 0700 folder): readers see the old or the new one,
 * never a part, even after a crash.
 */
export function writePrivateFile(path: string, text: string): void {
  ensureHomeFolder(dirname(path));
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    rmSync(temporary, { force: true });
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
    throw new Failure(`${path} can't be written: ${reasonOf(error)}`, {
      exitCode: EXIT.usage,
      reason: 'HOME_UNUSABLE',
      cause: error,
    });
  }
}

/** The text of a file, undefined when there is none. */
export function readPrivateFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Failure(`${path} can't be read: ${reasonOf(error)}`, {
      exitCode: EXIT.usage,
      reason: 'HOME_UNUSABLE',
      cause: error,
    });
  }
}
