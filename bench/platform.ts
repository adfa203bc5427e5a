import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePorts } from '@jobber/compose/free-port';
import type { Addresses } from './client.ts';

const SHIM = fileURLToPath(new URL('../cli/bin/jobber.js', import.meta.url));
/** Some five seconds, where the machine has nothing else to do. */
const START_LIMIT_MS = 180_000;

/** A platform as people start it: `jobber up`, in a folder of its own, with fsync and synchronous_commit on. */
export interface BenchPlatform {
  readonly addresses: Addresses;
  /** Of `jobber up`; the daemons and PostgreSQL are its descendants. */
  readonly pid: number;
  /** From the command to the last daemon's readiness, in seconds. */
  readonly startSeconds: number;
  readonly productsDatabaseUrl: string;
  /** By which daemons believe each other. */
  readonly serviceSecret: string;
  /** host:port, for daemons beside those of `jobber up`. */
  readonly grpc: { readonly products: string; readonly jobs: string };
  /** PostgreSQL's superuser's, of one database. */
  adminDatabaseUrl(database: string): string;
  /** Makes the first user an administrator. */
  readonly setupToken: string;
  stop(): Promise<void>;
}

export interface BenchFolder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function createFolder(): Promise<BenchFolder> {
  const path = await mkdtemp(join(tmpdir(), 'jobber-bench-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/**
 * Starts the platform in `folder`; the second time there it is a warm start.
 * @param environment more of it, such as JOBBER_JOB_TYPES
 * @param args more of `jobber up`, such as --pulsar
 */
export async function startPlatform(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<BenchPlatform> {
  const base = await findFreePorts(10);
  const dataDir = join(folder, 'data');
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [SHIM, 'up', '--data-dir', dataDir, '--port-base', String(base), '--json-logs', ...args],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, JOBBER_HOME: join(folder, 'home'), LOG_LEVEL: 'warn', ...environment },
    },
  );
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  const [auth, jobs, executor, products] = [0, 1, 2, 3].map(
    (n) => `http://127.0.0.1:${base + n}`,
  ) as string[];
  const ready = [
    `${auth}/auth/ready`,
    `${jobs}/jobs/ready`,
    `${executor}/executor/ready`,
    `${products}/products/ready`,
  ];
  while (!(await Promise.all(ready.map(answersOk))).every(Boolean)) {
    if (child.exitCode !== null) throw new Error(`jobber up ended with ${child.exitCode}: ${errors}`);
    if (performance.now() - started > START_LIMIT_MS) throw new Error('jobber up did not become ready');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const startSeconds = (performance.now() - started) / 1_000;
  const secrets = JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as {
    productsDatabase: string;
    service: string;
    setupToken: string;
  };
  const adminPassword = (await readFile(join(dataDir, 'postgres.password'), 'utf8')).trim();
  const databaseUrl = (role: string, password: string, database = role) =>
    `postgresql://${role}:${password}@127.0.0.1:${base + 7}/${database}`;
  return {
    addresses: { auth: auth ?? '', jobs: jobs ?? '', products: products ?? '' },
    pid: child.pid ?? 0,
    startSeconds,
    productsDatabaseUrl: databaseUrl('products', secrets.productsDatabase),
    serviceSecret: secrets.service,
    grpc: { products: `127.0.0.1:${base + 5}`, jobs: `127.0.0.1:${base + 6}` },
    adminDatabaseUrl: (database) => databaseUrl('postgres', adminPassword, database),
    setupToken: secrets.setupToken,
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGINT');
  await once(child, 'exit');
}

async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.ok === true;
}
