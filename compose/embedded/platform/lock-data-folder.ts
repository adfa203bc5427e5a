import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { claimFolder } from '../postgres/claim-folder.ts';
import { PostgresError } from '../postgres/postgres-error.ts';
import { PlatformError } from './platform-error.ts';

/**
 * Makes this process the only one that runs the platform in `dataDir`, until `release` is called or the process ends,
 * however it ends: a claim that a killed process left is taken over.
 * @throws PlatformError `folder-in-use`, naming the process
 */
export function lockDataFolder(dataDir: string): { release(): void } {
  const claim = join(dataDir, 'platform');
  try {
    return claimFolder(claim);
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error;
    if (error.reason !== 'folder-in-use')
      throw new PlatformError('folder-unusable', error.message, { cause: error });
    const pid = Number.parseInt(readFileSync(`${claim}.owner`, 'utf8'), 10);
    throw new PlatformError(
      'folder-in-use',
      `jobber already runs in ${dataDir} (process ${pid}): use that one, stop it (kill ${pid}), or start another with --data-dir and --port-base.`,
    );
  }
}
