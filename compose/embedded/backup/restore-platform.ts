import { existsSync, readdirSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseDefinition } from '@jobber/db/connection';
import { dropPostgresVariables } from '../platform/drop-postgres-variables.ts';
import { lockDataFolder } from '../platform/lock-data-folder.ts';
import { openDataFolder } from '../platform/open-data-folder.ts';
import { PlatformError } from '../platform/platform-error.ts';
import { makePrivateFolder } from '../platform/private-file.ts';
import { readOrCreateSecrets } from '../platform/secrets.ts';
import { type DatabaseWanted, databaseUrl, ensureDatabases, startPostgres } from '../postgres/index.ts';
import { fillDatabase } from './copy-database.ts';
import { explainRestoreError, isDamage } from './explain-restore-error.ts';
import { type BackupManifest, DATABASE_NAMES, type DatabaseName, readManifest } from './manifest.ts';

export interface RestoreSummary {
  readonly madeAt: string;
  readonly rows: number;
  readonly uploads: number;
  /** Of jobs that were accepted after the backup's moment; submitted again they make them again. */
  readonly productsTakenBack: number;
  readonly loginsEnded: number;
}

/**
 * Makes a platform in `dataDir` as the backup in `source` has it. It is not started. All logins end, for nothing is
 * known of those that were ended after the backup.
 * @param dataDir a folder that does not exist or is empty
 * @throws PlatformError, PostgresError; nothing is left then
 */
export async function restorePlatform(source: string, dataDir: string): Promise<RestoreSummary> {
  const manifest = readManifest(source);
  const definitions = await definitionsFor(manifest);
  requireEmpty(dataDir);
  dropPostgresVariables();
  const wasThere = existsSync(dataDir);
  makePrivateFolder(dataDir);
  const lock = lockDataFolder(dataDir);
  let restored = false;
  try {
    const summary = await restore(source, dataDir, { manifest, definitions });
    restored = true;
    return summary;
  } catch (error) {
    throw explainRestoreError(error, { source, dataDir, serverLog: serverLog(dataDir) });
  } finally {
    lock.release();
    if (!restored) {
      for (const name of readdirSync(dataDir))
        await rm(join(dataDir, name), { recursive: true, force: true });
      if (!wasThere) await rm(dataDir, { recursive: true, force: true });
    }
  }
}

function serverLog(dataDir: string): string {
  return join(dataDir, 'logs', 'postgres.log');
}

async function restore(
  source: string,
  dataDir: string,
  backup: { manifest: BackupManifest; definitions: Record<DatabaseName, DatabaseDefinition> },
): Promise<RestoreSummary> {
  const { manifest, definitions } = backup;
  const folder = openDataFolder(dataDir);
  await copyFile(join(source, 'secrets.json'), folder.secretsFile);
  const secrets = readOrCreateSecrets(folder.secretsFile);
  const server = await startPostgres({
    dataDir: folder.postgres,
    logFile: serverLog(dataDir),
  });
  try {
    const wanted: Record<DatabaseName, DatabaseWanted> = {
      auth: { database: 'auth', role: 'auth', password: secrets.authDatabase },
      jobs: { database: 'jobs', role: 'jobs', password: secrets.jobsDatabase },
      products: { database: 'products', role: 'products', password: secrets.productsDatabase },
    };
    await ensureDatabases(server.adminUrl, Object.values(wanted));
    const { migrate } = await import('@jobber/db/migrate');
    let rows = 0;
    const urls: Partial<Record<DatabaseName, string>> = {};
    for (const name of DATABASE_NAMES) {
      const url = databaseUrl(server.adminUrl, wanted[name]);
      urls[name] = url;
      await migrate(definitions[name], url);
      rows += await fillDatabase(server.adminUrl, name, manifest.databases[name], source).catch(
        async (error: Error) => {
          if (!(await isDamage(error))) throw error;
          const message = `The backup in ${source} is damaged: its database ${name} cannot be read (${error.message}).`;
          throw new PlatformError('folder-unusable', message, { cause: error });
        },
      );
    }
    for (const name of manifest.uploads)
      await copyFile(join(source, 'uploads', name), join(folder.uploads, name));
    const { reconcileDatabases } = await import('@jobber/db/reconcile');
    const { done } = await reconcileDatabases(urls as Record<DatabaseName, string>, {
      removeProducts: true,
      endSessions: true,
    });
    return {
      madeAt: manifest.madeAt,
      rows,
      uploads: manifest.uploads.length,
      productsTakenBack: done.productsRemoved,
      loginsEnded: done.sessionsEnded,
    };
  } finally {
    await server.stop();
  }
}

/** The databases with the migrations that the backup had: later ones are applied at the next start. */
async function definitionsFor(manifest: BackupManifest): Promise<Record<DatabaseName, DatabaseDefinition>> {
  const { authDatabase } = await import('@jobber/db/auth');
  const { jobsDatabase } = await import('@jobber/db/jobs');
  const { productsDatabase } = await import('@jobber/db/products');
  const all = { auth: authDatabase, jobs: jobsDatabase, products: productsDatabase };
  const entries = DATABASE_NAMES.map((name) => {
    const had = manifest.databases[name].migrations;
    const known = all[name].migrations.map((migration) => migration.name);
    const unknown = had.filter((migration) => !known.includes(migration));
    if (unknown.length > 0) {
      throw new PlatformError(
        'migration',
        `The backup was made by a newer jobber: its database ${name} has migrations that this one does not know (${unknown.join(', ')}). Restore it with that version or a later one.`,
      );
    }
    const migrations = all[name].migrations.filter((migration) => had.includes(migration.name));
    return [name, { ...all[name], migrations }] as const;
  });
  return Object.fromEntries(entries) as unknown as Record<DatabaseName, DatabaseDefinition>;
}

function requireEmpty(dataDir: string): void {
  const [found] = existsSync(dataDir) ? readdirSync(dataDir) : [];
  if (found !== undefined)
    throw new PlatformError(
      'folder-unusable',
      `${dataDir} is not empty (${found}): restore into a new folder, named with --data-dir, or move that one away.`,
    );
}
