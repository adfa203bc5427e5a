import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The daemons in the order in which they depend on each other; they are stopped in the opposite one. */
export const DAEMONS = ['auth', 'products', 'jobs', 'executor'] as const;

export type DaemonName = (typeof DAEMONS)[number];

/** What people call them. */
export const DAEMON_TITLES: Readonly<Record<DaemonName, string>> = {
  auth: 'Auth',
  products: 'Products',
  jobs: 'Jobs',
  executor: 'Executor',
};

/** The repository, or `dist` in a release build: the layout is the same. */
export const PLATFORM_ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The file that is run, the same one as in production. */
export function daemonProgram(name: DaemonName): string {
  return entryFile(`daemons/${name}/main`);
}

export function migrateProgram(): string {
  return entryFile('db/migrate');
}

/** TypeScript runs TypeScript, a release build its own JavaScript. */
function entryFile(path: string): string {
  return `${PLATFORM_ROOT}${path}${extname(fileURLToPath(import.meta.url))}`;
}
