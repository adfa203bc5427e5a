import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from '@jobber/compose/free-port';
import type { TestProject } from 'vitest/node';

/** A server that checks signatures, streams, and knows multipart uploads; Apache-2.0, of PyPI. */
const SERVER = 'nanio==0.1.7';
const BUCKET = 'jobber-uploads';

/** How tests reach the storage. */
export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    s3Server: S3Server;
  }
}

/** vitest's globalSetup: one storage a run, with one bucket; it and its program are removed again. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'jobber-s3-'));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  try {
    const program = installServer(folder);
    const data = join(folder, 'data');
    // A bucket is a folder.
    mkdirSync(join(data, BUCKET), { recursive: true });
    const server: S3Server = {
      endpoint: `http://127.0.0.1:${await findFreePort()}`,
      bucket: BUCKET,
      accessKeyId: 'JOBBERTESTKEY',
      secretAccessKey: 'a-secret-that-no-log-may-show',
    };
    const { hostname, port } = new URL(server.endpoint);
    const child = spawn(program, ['serve', '--data-dir', data, '--host', hostname, '--port', port], {
      env: {
        PATH: process.env['PATH'],
        NANIO_ACCESS_KEY: server.accessKeyId,
        NANIO_SECRET_KEY: server.secretAccessKey,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = once(child, 'exit');
    await untilItAnswers(server.endpoint, child);
    project.provide('s3Server', server);
    return async () => {
      child.kill('SIGTERM');
      await Promise.race([ended, delay(5_000).then(() => child.kill('SIGKILL'))]);
      remove();
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function installServer(folder: string): string {
  const environment = join(folder, 'python');
  execFileSync('python3', ['-m', 'venv', environment], { stdio: 'inherit' });
  const pip = join(environment, 'bin', 'pip');
  execFileSync(pip, ['install', '--quiet', '--disable-pip-version-check', SERVER], { stdio: 'inherit' });
  return join(environment, 'bin', 'nanio');
}

async function untilItAnswers(endpoint: string, child: { exitCode: number | null }): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answered = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (answered) return;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${SERVER} does not answer`);
    await delay(50);
  }
}
