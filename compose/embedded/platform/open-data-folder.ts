import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PlatformError } from './platform-error.ts';
import { makePrivateFolder } from './private-file.ts';

/** What one platform keeps, all of it in its data folder. */
export interface DataFolder {
  readonly secretsFile: string;
  readonly logs: string;
  readonly uploads: string;
  readonly postgres: string;
  /** A file for each daemon that runs. */
  readonly run: string;
}

const OURS = /^(secrets\.json|logs|uploads|run|postgres|pulsar|platform)(\.|$)/;

/**
 * The data folder, made if need be.
 * @throws PlatformError when it holds somebody else's files, which stay untouched
 */
export function openDataFolder(dataDir: string): DataFolder {
  makePrivateFolder(dataDir);
  const foreign = list(dataDir).find((name) => !OURS.test(name));
  if (foreign !== undefined) {
    throw new PlatformError(
      'folder-unusable',
      `${dataDir} holds other files (${foreign}): name an empty folder, or one that jobber made, with --data-dir.`,
    );
  }
  const folder: DataFolder = {
    secretsFile: join(dataDir, 'secrets.json'),
    logs: join(dataDir, 'logs'),
    uploads: join(dataDir, 'uploads'),
    postgres: join(dataDir, 'postgres'),
    run: join(dataDir, 'run'),
  };
  for (const path of [folder.logs, folder.uploads, folder.run]) makePrivateFolder(path);
  return folder;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new PlatformError('folder-unusable', `${folder} cannot be read (${code}).`, { cause: error });
  }
}
