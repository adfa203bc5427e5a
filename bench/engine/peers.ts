import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import type { Contender, Run } from './contender.ts';

const FOLDER = fileURLToPath(new URL('../peers', import.meta.url));
const NAMES = ['pg-boss', 'graphile-worker'] as const;

export interface Peer extends Contender {
  stop(): Promise<void>;
}

/**
 * Installs the peers by their own lock file, unless that was done before.
 * @returns why they can't be had, or undefined
 */
export function installPeers(): string | undefined {
  const installed = `${FOLDER}/node_modules/.package-lock.json`;
  const lock = `${FOLDER}/package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return undefined;
  const { status, stderr, error } = spawnSync('npm', ['ci', '--prefix', FOLDER, '--no-audit', '--no-fund'], {
    encoding: 'utf8',
  });
  if (status === 0) return undefined;
  return `npm ci --prefix bench/peers failed: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? ''}`;
}

/** Each in a process of its own, with a database of its own on the same PostgreSQL as jobber's. */
export async function startPeers(adminUrl: string): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const name of NAMES) peers.push(await startPeer(name, await createDatabase(adminUrl, name)));
  return peers;
}

async function startPeer(name: string, databaseUrl: string): Promise<Peer> {
  const child = fork(`${FOLDER}/main.js`, [name], {
    env: { ...process.env, PEER_DATABASE_URL: databaseUrl, NO_LOG_SUCCESS: '1', NODE_ENV: 'production' },
  });
  const exited = once(child, 'exit');
  async function call<T>(method: string, ...args: unknown[]): Promise<T> {
    const answered = once(child, 'message') as Promise<[{ value: T; error?: string }]>;
    child.send({ method, args });
    const ended = exited.then(() => {
      throw new Error(`${name} ended while asked for ${method}`);
    });
    const [{ value, error }] = await Promise.race([answered, ended]);
    if (error) throw new Error(`${name}: ${error}`);
    return value;
  }

  await Promise.race([once(child, 'message'), exited]);
  if (child.exitCode !== null) throw new Error(`${name} could not be started`);
  return {
    name,
    oneByOne: (count, submitters) => call<Run>('oneByOne', count, submitters),
    bulk: (count) => call<Run>('bulk', count),
    latencies: (samples, warmUp) => call<number[]>('latencies', samples, warmUp),
    async stop() {
      await call('stop');
      await exited;
    },
  };
}

async function createDatabase(adminUrl: string, name: string): Promise<string> {
  const database = `peer-${name}`;
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query(`create database ${admin.escapeIdentifier(database)}`);
  } finally {
    await admin.end();
  }
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}
