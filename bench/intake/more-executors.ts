import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { DAEMON_NODE_FLAGS, sourcePrograms } from '@jobber/compose/daemon-programs';
import { findFreePort } from '@jobber/compose/free-port';
import type { BenchPlatform } from '../platform.ts';

const READY_WITHIN_MS = 60_000;

/** Starts executors beside that of `jobber up`. @returns what stops them, once they are ready */
export async function startExecutors(
  platform: BenchPlatform,
  count: number,
  environment: Readonly<Record<string, string>>,
): Promise<() => Promise<void>> {
  const ports = await Promise.all(Array.from({ length: count }, () => findFreePort()));
  const children = ports.map((port) =>
    spawn(process.execPath, [...DAEMON_NODE_FLAGS, sourcePrograms().daemon('executor')], {
      stdio: 'ignore',
      env: {
        ...process.env,
        ...environment,
        NODE_ENV: 'production',
        LOG_LEVEL: 'warn',
        SERVICE_SECRET: platform.serviceSecret,
        JOBS_GRPC_URL: platform.grpc.jobs,
        PRODUCTS_GRPC_URL: platform.grpc.products,
        EXECUTOR_PORT: String(port),
      },
    }),
  );
  async function stop(): Promise<void> {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null) return;
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }),
    );
  }
  try {
    await Promise.all(ports.map(untilReady));
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilReady(port: number): Promise<void> {
  const started = performance.now();
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/executor/ready`).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.ok) return;
    if (performance.now() - started > READY_WITHIN_MS) throw new Error('an executor did not become ready');
    await sleep(20);
  }
}
