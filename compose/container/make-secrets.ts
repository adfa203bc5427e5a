// Makes the secrets of a platform in containers at its first start. Each consumer has a folder (a volume) of its own
// and finds there what it needs and nothing else.
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, secret, setting } from '@jobber/shared/config';

/** Values that somebody may choose; everything else is made. */
const GIVEN = {
  service: setting('SERVICE_SECRET', secret().optional(), { secret: true }),
  setupToken: setting('AUTH_SETUP_TOKEN', secret().optional(), { secret: true }),
};

const DATABASES = ['auth', 'jobs', 'products'] as const;
type Database = (typeof DATABASES)[number];

/** Only their owner reads them. PostgreSQL runs as another user; nobody else has its folder. */
const OWNER_ONLY = 0o400;
const FOR_POSTGRES = 0o444;

/**
 * Writes what is missing, or was given another value by `environment`. What is there already stays: a new service
 * secret would make stored keys unreadable, a new password would not be the database's.
 * @param folder holds the folders `postgres`, `auth`, `jobs`, `executor` and `products`
 * @returns the names of the files that were written, relative to `folder`
 * @throws ConfigError when a given value is too weak; nothing is written then
 */
export function makeSecrets(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const given = loadConfig(GIVEN, environment);
  const written: string[] = [];
  const find = (...paths: string[]) =>
    paths.map((path) => readIfThere(join(folder, path))).find((value) => value !== undefined);
  const put = (path: string, value: string, mode: number) => {
    const file = join(folder, path);
    if (readIfThere(file) === value) return;
    // Never half a secret, and never one that others can read for a moment.
    writeFileSync(`${file}.new`, value, { mode });
    renameSync(`${file}.new`, file);
    written.push(path);
  };

  const holders = ['auth', 'jobs', 'executor', 'products'].map((name) => `${name}/service-secret`);
  const service = given.service ?? find(...holders) ?? makeSecret();
  for (const path of holders) put(path, service, OWNER_ONLY);
  put('auth/setup-token', given.setupToken ?? find('auth/setup-token') ?? makeSecret(), OWNER_ONLY);
  put('postgres/postgres-password', find('postgres/postgres-password') ?? makeSecret(), FOR_POSTGRES);
  for (const name of DATABASES) {
    const password =
      find(`postgres/${name}-password`) ?? passwordIn(find(`${name}/database-url`)) ?? makeSecret();
    put(`postgres/${name}-password`, password, FOR_POSTGRES);
    put(`${name}/database-url`, databaseUrl(name, password), OWNER_ONLY);
  }
  return written;
}

function makeSecret(): string {
  return randomBytes(32).toString('hex');
}

function databaseUrl(name: Database, password: string): string {
  return `postgresql://${name}:${password}@postgres:5432/${name}`;
}

function passwordIn(url: string | undefined): string | undefined {
  return URL.parse(url ?? '')?.password || undefined;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
