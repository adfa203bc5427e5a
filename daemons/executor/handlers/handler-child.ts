// Runs in the processes of the pool, one job type and one task at a time. Nothing in here needs to be trusted.
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { JobType } from '@jobber/job-types';
import { createFrameReader, encodeFrame } from './frames.ts';
import { describeFailure } from './handler-run.ts';
import type { MessageFromProcess, MessageToProcess } from './process-messages.ts';
import { importJobTypes, runTask, type TravellingTask } from './run-task.ts';

/** A task's input is 8 MiB at most where it comes from. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const channel = new Socket({ fd: 3, readable: true, writable: true });
let loading: Promise<JobType> | undefined;
let running: { run: number; since: number; controller: AbortController } | undefined;

const read = createFrameReader(MAX_MESSAGE_BYTES);
channel.on('data', (chunk: Buffer) => {
  for (const message of read(chunk) as MessageToProcess[]) receive(message);
});
// The executor is gone.
channel.on('error', () => {}).on('close', () => process.kill(-process.pid, 'SIGKILL'));
const watch = createRequire(import.meta.url).resolve('@jobber/executor/end-with-parent');
new Worker(pathToFileURL(watch), {
  workerData: Number(process.argv[2]),
  env: {},
  execArgv: [],
  resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
}).unref();

process.on('uncaughtException', (error) => {
  if (!running) process.exit(1);
  const { run, since } = running;
  const outcome = { run, failure: describeFailure(error), durationMs: performance.now() - since };
  send(outcome, () => process.exit(1));
});

function receive(message: MessageToProcess): void {
  if ('serve' in message) loading = findType(message.serve.slug, message.serve.modules);
  else if ('task' in message) void execute(message.run, message.task);
  else if (running?.run === message.abort) {
    running.controller.abort(new Error('The attempt was aborted'));
  }
}

async function findType(slug: string, modules: readonly string[]): Promise<JobType> {
  const type = (await importJobTypes(modules)).get(slug);
  if (!type) throw new Error(`The process does not know the job type ${slug}`);
  return type;
}

async function execute(run: number, task: TravellingTask): Promise<void> {
  const type = await loading;
  if (!type) throw new Error('A task arrived before its job type');
  const controller = new AbortController();
  running = { run, since: performance.now(), controller };
  send({ run, started: true });
  const outcome = await runTask(type, task, controller.signal, {
    log: (message, fields) => send({ run, message, fields }),
    progress: (progress) => send({ run, progress }),
  });
  running = undefined;
  send({ run, ...outcome });
}

function send(message: MessageFromProcess, sent?: () => void): void {
  channel.write(encodeFrame(message), sent);
}
