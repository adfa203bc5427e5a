import { extname, join } from 'node:path';
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

/** Where the programs lie: the repository, or `dist` in a release build, whose layout is the same. */
export const PLATFORM_ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * How Node runs a daemon. On a machine with much memory V8 collects late: under load a daemon would grow by some 150 MB of
 * garbage and keep it. A heap that grows by 40 % at most stays flat. Semi-spaces of 16 MB are V8's default on large
 * machines and not on small ones; smaller ones cost a fifth of a busy daemon's time. `--expose-gc` lets a daemon give back what
 * it no longer needs once it is idle.
 */
export const DAEMON_NODE_FLAGS = ['--max-semi-space-size=16', '--heap-growing-percent=40', '--expose-gc'];

/** The files that Node runs. */
export interface Programs {
  daemon(name: DaemonName): string;
  readonly migrate: string;
}

/** @param fileOf the file of a program, which is named by its path in the layout, such as `daemons/auth/main` */
export function programsBy(fileOf: (program: string) => string): Programs {
  return { daemon: (name) => fileOf(`daemons/${name}/main`), migrate: fileOf('db/migrate') };
}

/** The same files as in production. */
export function sourcePrograms(root = PLATFORM_ROOT): Programs {
  return programsBy((program) => entryFile(root, program));
}

/** The module that reads a daemon's settings. */
export function settingsModule(name: DaemonName, root = PLATFORM_ROOT): string {
  return entryFile(root, `daemons/${name}/config`);
}

/** With one file a migration. */
export function migrationsFolder(database: string, root = PLATFORM_ROOT): string {
  return join(root, 'db', database, 'migrations');
}

/** TypeScript runs TypeScript, a release build its own JavaScript. */
function entryFile(root: string, path: string): string {
  return `${join(root, path)}${extname(fileURLToPath(import.meta.url))}`;
}
