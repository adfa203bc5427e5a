import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlatformError } from '../platform/platform-error.ts';

export const DATABASE_NAMES = ['jobs', 'products', 'auth'] as const;
export type DatabaseName = (typeof DATABASE_NAMES)[number];

/** What a backup consists of: `backup.json` in its folder, written last but one. */
export interface BackupManifest {
  readonly format: 1;
  readonly madeAt: string;
  readonly databases: Readonly<Record<DatabaseName, DatabaseCopy>>;
  /** Files in the folder `uploads`. */
  readonly uploads: readonly string[];
}

export interface DatabaseCopy {
  /** Names of the migrations that made its tables. */
  readonly migrations: readonly string[];
  readonly tables: readonly TableCopy[];
  readonly sequences: readonly { readonly name: string; readonly lastValue: string }[];
}

/** The rows lie in `<database>/<table>.copy.gz`, in the text format of PostgreSQL's COPY. */
export interface TableCopy {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: number;
}

const FILE = 'backup.json';

export function manifestFile(folder: string): string {
  return join(folder, FILE);
}

/** @throws PlatformError when the folder holds no backup that this version can read */
export function readManifest(folder: string): BackupManifest {
  let manifest: Partial<BackupManifest>;
  try {
    manifest = JSON.parse(readFileSync(manifestFile(folder), 'utf8')) as Partial<BackupManifest>;
  } catch (error) {
    throw new PlatformError(
      'folder-unusable',
      `${folder} holds no backup of jobber: it has no readable ${FILE}.`,
      {
        cause: error,
      },
    );
  }
  if (manifest.format === 1 && manifest.databases) return manifest as BackupManifest;
  throw new PlatformError(
    'folder-unusable',
    `The backup in ${folder} has the format ${manifest.format}, this jobber knows format 1: restore it with a newer jobber.`,
  );
}

export function tableFile(folder: string, database: string, table: string): string {
  return join(folder, database, `${table}.copy.gz`);
}
