import { randomUUID } from 'node:crypto';
import { constants, existsSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dropPostgresVariables } from '../platform/drop-postgres-variables.ts';
import { PlatformError } from '../platform/platform-error.ts';
import { makePrivateFolder, writePrivateFile } from '../platform/private-file.ts';
import { explainFileError } from '../postgres/index.ts';
import { openSnapshot, type Snapshot } from './copy-database.ts';
import {
  type BackupManifest,
  DATABASE_NAMES,
  type DatabaseCopy,
  type DatabaseName,
  manifestFile,
} from './manifest.ts';
import { reachPostgres } from './reach-postgres.ts';

export interface BackupSummary {
  readonly rows: number;
  readonly uploads: number;
  /** Uploads that the database names and the folder does not have: kept in a bucket, or removed a moment ago. */
  readonly uploadsElsewhere: number;
}

/**
 * Copies the platform of `dataDir`, running or stopped, into `target`: databases, uploads and the platform's secrets.
 * Jobs' moment is the first and Auth's the last: Products then knows every effect of what Jobs counts as done, and Auth
 * every owner.
 * @param target a folder that does not exist or is empty; it appears when everything is in it
 * @throws PlatformError, PostgresError; nothing is left then, or the message says what
 */
export async function backUpPlatform(dataDir: string, target: string): Promise<BackupSummary> {
  requireEmpty(target);
  dropPostgresVariables();
  const postgres = await reachPostgres(dataDir);
  const staging = `${target}.new-${randomUUID()}`;
  try {
    makePrivateFolder(staging);
    const databases = await copyDatabases(postgres.adminUrl, staging);
    const wanted = databases.uploadNames;
    const uploads = await copyUploads(join(dataDir, 'uploads'), join(staging, 'uploads'), wanted);
    await copyFile(join(dataDir, 'secrets.json'), join(staging, 'secrets.json'));
    const manifest: BackupManifest = {
      format: 1,
      madeAt: new Date().toISOString(),
      databases: databases.copies,
      uploads,
    };
    writePrivateFile(manifestFile(staging), `${JSON.stringify(manifest, null, 2)}\n`);
    if (existsSync(target)) await rmdir(target);
    await rename(staging, target);
    const rows = DATABASE_NAMES.flatMap((name) => databases.copies[name].tables.map((table) => table.rows));
    return {
      rows: rows.reduce((total, count) => total + count, 0),
      uploads: uploads.length,
      uploadsElsewhere: wanted.length - uploads.length,
    };
  } catch (error) {
    const why = explainFileError(error, target);
    if (why instanceof Error && !(await remove(staging)))
      why.message += ` What was copied so far is left in ${staging}: remove it.`;
    throw why;
  } finally {
    await postgres.release();
  }
}

/** @returns whether it is gone: why the backup failed matters more than why this did */
async function remove(folder: string): Promise<boolean> {
  await rm(folder, { recursive: true, force: true }).catch(() => {});
  return !existsSync(folder);
}

async function copyDatabases(
  adminUrl: string,
  folder: string,
): Promise<{ copies: Record<DatabaseName, DatabaseCopy>; uploadNames: string[] }> {
  const open: [DatabaseName, Snapshot][] = [];
  try {
    for (const name of DATABASE_NAMES) open.push([name, await openSnapshot(adminUrl, name)]);
    const copies: Partial<Record<DatabaseName, DatabaseCopy>> = {};
    for (const [name, snapshot] of open) {
      await mkdir(join(folder, name), { mode: 0o700 });
      const copy = await snapshot.copyTo(folder);
      copies[name] = { ...copy, sequences: await snapshot.sequences() };
    }
    const [, jobs] = open[0] as [DatabaseName, Snapshot];
    return { copies: copies as Record<DatabaseName, DatabaseCopy>, uploadNames: await jobs.uploadNames() };
  } finally {
    for (const [, snapshot] of open) await snapshot.close();
  }
}

async function copyUploads(from: string, to: string, names: readonly string[]): Promise<string[]> {
  await mkdir(to, { mode: 0o700 });
  const copied: string[] = [];
  for (const name of names) {
    try {
      await copyFile(join(from, name), join(to, name), constants.COPYFILE_EXCL);
      copied.push(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return copied;
}

function requireEmpty(target: string): void {
  let found: string | undefined;
  try {
    [found] = readdirSync(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw explainFileError(error, target);
  }
  if (found !== undefined)
    throw new PlatformError(
      'folder-unusable',
      `${target} is not empty (${found}): name a new folder for the backup.`,
    );
}
