// An executor in this process, against a Jobs in memory, with the job types that tests need.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Broker } from '@jobber/shared/broker';
import { createScope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { onTestFinished, vi } from 'vitest';
import { loadExecutorConfig } from '../config.ts';
import { startExecutor } from '../start-executor.ts';
import { FakeJobs, SERVICE_SECRET } from './test-fake-jobs.ts';

export const POISON_TYPES = new URL('./poison-types.fixture.ts', import.meta.url).href;
export const PROCESS_POISON = new URL('./process-poison.fixture.ts', import.meta.url).href;

export interface TestExecutor {
  readonly executorId: string;
  readonly port: number;
  /** What was logged, a record each. */
  readonly logs: Record<string, unknown>[];
  stop(): Promise<void>;
  get(path: string): Promise<{ status: number; body: string }>;
}

export async function startFakeJobs(): Promise<FakeJobs> {
  const jobs = new FakeJobs();
  await jobs.listen();
  onTestFinished(() => jobs.close());
  return jobs;
}

export async function startTestExecutor(
  jobs: FakeJobs,
  environment: Record<string, string> = {},
  broker?: Broker,
): Promise<TestExecutor> {
  const logs: Record<string, unknown>[] = [];
  const log = createLogger(
    { daemon: 'executor', level: 'debug' },
    new Writable({
      write(line, _encoding, done) {
        logs.push(JSON.parse(String(line)));
        done();
      },
    }),
  );
  const scope = createScope(log);
  const config = loadExecutorConfig({
    SERVICE_SECRET,
    EXECUTOR_PORT: '0',
    EXECUTOR_THREADS: '2',
    EXECUTOR_CONCURRENCY: '4',
    EXECUTOR_THREAD_MEMORY_MB: '64',
    JOBS_GRPC_URL: `127.0.0.1:${jobs.port}`,
    PRODUCTS_GRPC_URL: '127.0.0.1:1',
    EXECUTOR_PROCESSES: '2',
    JOBBER_JOB_TYPES: `${POISON_TYPES},${PROCESS_POISON}`,
    ...environment,
  });
  const { port, executorId } = await startExecutor({ config, scope, log, ...(broker && { broker }) });
  onTestFinished(() => scope.release());
  return {
    executorId,
    port,
    logs,
    stop: () => scope.release(),
    async get(path) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, body: await response.text() };
    },
  };
}

/** What tasks of the type `gated` wait for. */
export function createGate() {
  const folder = mkdtempSync(join(tmpdir(), 'jobber-gate-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const gate = join(folder, 'open');
  return { item: { gate }, open: () => writeFileSync(gate, '') };
}

/** Also false for a process that has ended and that nobody has asked about yet. */
export function isRunning(pid: unknown): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && !/^State:\s+Z/m.test(readFileSync(status, 'utf8'));
}

/** Waits for a condition; it says what it waits for when it fails. */
export function until(condition: () => unknown, message: string, timeout = 30_000): Promise<unknown> {
  return vi
    .waitUntil(async () => (await condition()) || false, { timeout, interval: 10 })
    .catch((error) => {
      throw new Error(`waited in vain until ${message}`, { cause: error });
    });
}
