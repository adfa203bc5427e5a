import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { isRunning, POISON_TYPES, PROCESS_POISON, startFakeJobs, until } from './testing/test-executor.ts';
import { SERVICE_SECRET } from './testing/test-fake-jobs.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

interface Daemon {
  readonly child: ChildProcess;
  readonly logs: { level: string; msg: string; port?: number; handler?: { pid?: number; parent?: number } }[];
  readonly exited: Promise<unknown[]>;
}

function start(environment: Record<string, string>): Daemon {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'], EXECUTOR_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const logs: Daemon['logs'] = [];
  createInterface(child.stdout!).on('line', (line) => logs.push(JSON.parse(line)));
  return { child, logs, exited: once(child, 'exit') };
}

const says = ({ logs }: Daemon, text: string) =>
  until(() => logs.some(({ msg }) => msg.includes(text)), `it says ${text}`);

async function startWithJobs() {
  const jobs = await startFakeJobs();
  const daemon = start({
    SERVICE_SECRET,
    JOBS_GRPC_URL: `127.0.0.1:${jobs.port}`,
    JOBBER_JOB_TYPES: `${POISON_TYPES},${PROCESS_POISON}`,
  });
  await says(daemon, 'receiving tasks from Jobs');
  return { jobs, daemon };
}

test('SIGTERM lets a running task end, reports it, and the process exits with 0', async () => {
  const { jobs, daemon } = await startWithJobs();
  const task = jobs.submit({ slug: 'sleep', items: [{ n: 800 }] });
  await until(() => task.state === 'running', 'the task is running');
  daemon.child.kill('SIGTERM');
  expect(await daemon.exited).toEqual([0, null]);
  expect(task.outcomes).toMatchObject([{ interrupted: false, items: [{ offset: 0 }] }]);
});

test('a second signal ends the process at once', async () => {
  const { jobs, daemon } = await startWithJobs();
  const task = jobs.submit({ slug: 'hang' });
  await until(() => task.state === 'running', 'the task is running');
  daemon.child.kill('SIGTERM');
  await says(daemon, 'stopping');
  daemon.child.kill('SIGTERM');
  expect(await daemon.exited).toEqual([130, null]);
});

test('a handler that does not end is interrupted in time, and the task is given back', async () => {
  const { jobs, daemon } = await startWithJobs();
  const task = jobs.submit({ slug: 'loop', timeoutMs: 100_000 });
  await until(() => task.state === 'running', 'the task is running');
  daemon.child.kill('SIGTERM');
  // In the time that a daemon gets to stop: otherwise it ends with 1.
  expect(await daemon.exited).toEqual([0, null]);
  expect(task.outcomes).toMatchObject([{ interrupted: true, items: [] }]);
});

test.each(['process-loop-with-grandchild', 'process-fork-and-hang'])(
  'a handler in a process (%s) does not outlive an executor that is killed',
  async (slug) => {
    const { jobs, daemon } = await startWithJobs();
    jobs.submit({ slug });
    const started = () => daemon.logs.find(({ handler }) => handler?.pid)?.handler;
    await until(() => started() !== undefined, 'the handler has started a process of its own');
    const { pid, parent } = started() as { pid: number; parent: number };
    daemon.child.kill('SIGKILL');
    await daemon.exited;
    await until(() => !isRunning(pid) && !isRunning(parent), 'both have ended');
  },
);

test('without Jobs it lives, and stops when it is told to', async () => {
  const daemon = start({ SERVICE_SECRET, JOBS_GRPC_URL: '127.0.0.1:1' });
  await says(daemon, 'no stream of tasks from Jobs');
  daemon.child.kill('SIGTERM');
  expect(await daemon.exited).toEqual([0, null]);
});

test('a wrong configuration ends it with 78, and every problem is named', async () => {
  const daemon = start({ SERVICE_SECRET: 'short', EXECUTOR_THREADS: 'two' });
  expect(await daemon.exited).toEqual([78, null]);
  await says(daemon, 'SERVICE_SECRET must have at least 32 characters');
  await says(daemon, 'EXECUTOR_THREADS must be a whole number');
});

test('job types that are not usable end it with 78', async () => {
  const daemon = start({ SERVICE_SECRET, JOBBER_JOB_TYPES: './no-such-file.ts' });
  expect(await daemon.exited).toEqual([78, null]);
  await says(daemon, "no-such-file.ts can't be loaded");
});

test('.env.example starts it', async () => {
  const example = parseEnv(readFileSync(new URL('.env.example', import.meta.url), 'utf8'));
  const daemon = start({ ...(example as Record<string, string>), EXECUTOR_PORT: '0' });
  await says(daemon, 'started');
  daemon.child.kill('SIGTERM');
  expect(await daemon.exited).toEqual([0, null]);
});
