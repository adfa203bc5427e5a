import { closeSync, constants, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { usageFailure } from '../failure.ts';
import { reasonOf } from '../session/folder.ts';

export interface CheckedFile {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly contentType: string;
}

const CONTENT_TYPES: Record<string, string> = {
  '.json': 'application/json',
  '.ndjson': 'application/x-ndjson',
  '.jsonl': 'application/x-ndjson',
  '.csv': 'text/csv',
};

/**
 * A file of records to upload.
 *
 * @throws a Failure that says why the file can't be loaded; nothing was sent to anybody then
 */
export function checkDataFile(path: string): CheckedFile {
  if (path === '-') {
    throw usageFailure(
      "Standard input can't be loaded, because a file is checked before it is sent: give a JSON, NDJSON or CSV file",
      'FILE_NOT_REGULAR',
    );
  }
  const size = checkRegularFile(path, 'give a JSON, NDJSON or CSV file');
  const extension = extname(path).toLowerCase();
  const contentType = CONTENT_TYPES[extension];
  if (contentType === undefined) {
    throw usageFailure(
      `${path} has ${extension === '' ? 'no extension' : `the extension ${extension}`}: only JSON, NDJSON and CSV files are loaded (.json, .ndjson, .jsonl, .csv)`,
      'FILE_TYPE',
    );
  }
  return { path, name: basename(path), size, contentType };
}

/** @returns the file's size in bytes, at least 1 @throws a Failure when it is missing, unreadable, empty or no file */
export function checkRegularFile(path: string, advice: string): number {
  const info = statOpened(path);
  if (!info.isFile())
    throw usageFailure(`${path} is ${kindOf(info)}, not a file: ${advice}`, 'FILE_NOT_REGULAR');
  if (info.size === 0) throw usageFailure(`${path} is empty: ${advice}`, 'FILE_EMPTY');
  return info.size;
}

/** A file is opened too, because only that shows that it is readable; a device or a FIFO is not touched. */
function statOpened(path: string): Stats {
  if (path === '') throw usageFailure('The name of the file is empty', 'FILE_NOT_FOUND');
  try {
    const info = statSync(path);
    if (!info.isFile()) return info;
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return fstatSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw usageFailure(
      missing ? `${path} does not exist: check the path` : `${path} can't be read: ${reasonOf(error)}`,
      missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
    );
  }
}

function kindOf(info: Stats): string {
  if (info.isDirectory()) return 'a directory';
  if (info.isFIFO()) return 'a named pipe';
  if (info.isCharacterDevice() || info.isBlockDevice()) return 'a device';
  if (info.isSocket()) return 'a socket';
  return 'something special';
}
