// Job types that run in processes: well-behaved ones, and each kind of poison that a thread would not survive, too.
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobType, TaskContext, TaskResult } from '@jobber/job-types';
import { jobTypes as threadTypes } from './poison-types.fixture.ts';

type Run = (context: TaskContext<unknown>) => Promise<TaskResult>;

const MEMORY_MB = 64;

function type(name: string, run: Run): JobType {
  const base = handlerType('echo');
  const slug = `process-${name}`;
  const camel = slug.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return { ...base, name: camel, slug, runs: 'process', memoryMb: MEMORY_MB, run };
}

function handlerType(name: string): JobType {
  const found = threadTypes.find(({ slug }) => slug === name);
  if (!found) throw new Error(`There is no type ${name}`);
  return found;
}

/** The same handler as in threads. */
const same = (name: string) => type(name, handlerType(name).run);

const forever = () => new Promise<never>(() => {});

async function leakBuffers(): Promise<never> {
  const kept: Buffer[] = [];
  for (;;) {
    kept.push(Buffer.alloc(4 * 1024 * 1024, 1));
    await delay(1);
  }
}

/** Valid messages, straight into the pipe, as fast as it takes them. */
async function flood(): Promise<never> {
  const json = Buffer.from(JSON.stringify({ run: 1, message: 'x'.repeat(1_000) }));
  const header = Buffer.alloc(4);
  header.writeUInt32BE(json.length);
  const frames = Buffer.concat(Array.from({ length: 50 }, () => Buffer.concat([header, json])));
  for (;;) {
    try {
      writeSync(3, frames);
    } catch {
      await delay(1);
    }
  }
}

/** The announcement of a message of 2 GiB. */
async function announceGiant(): Promise<never> {
  writeSync(3, Buffer.from([0x7f, 0xff, 0xff, 0xff]));
  return forever();
}

async function startGrandchild({ log }: TaskContext<unknown>): Promise<number> {
  const grandchild = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  log('started', { pid: grandchild.pid, parent: process.pid });
  return grandchild.pid ?? 0;
}

const answer = ({ items }: TaskContext<unknown>, result: unknown): TaskResult => ({
  items: items.map(() => ({ status: 'succeeded', result })),
});

export const jobTypes: readonly JobType[] = [
  ...['echo', 'chatter', 'obedient', 'sleep', 'throw', 'throw-permanently', 'throw-unavailable'].map(same),
  ...['report', 'compute', 'babble', 'traced'].map(same),
  ...['throw-nothing', 'hang', 'loop', 'exit', 'hog', 'stray', 'secret'].map(same),
  type('whoami', async (context) => answer(context, process.pid)),
  type('whoami-too', async (context) => answer(context, process.pid)),
  type('exit-zero', () => process.exit(0)),
  type('kill', () => {
    process.kill(process.pid, 'SIGKILL');
    return forever();
  }),
  type('abort', () => process.abort()),
  type('stop', () => {
    process.kill(process.pid, 'SIGSTOP');
    return forever();
  }),
  type('leak-buffers', leakBuffers),
  type('flood', flood),
  type('announce-giant', announceGiant),
  type('nonsense', () => {
    writeSync(3, 'GET / HTTP/1.1\r\n\r\n');
    return forever();
  }),
  type('print', async (context) => {
    for (let line = 0; line < 2_000; line++) console.log(`line ${line} ${'x'.repeat(500)}`);
    console.error('printed');
    return answer(context, 'printed');
  }),
  type('print-late', async (context) => {
    setTimeout(() => console.log('late'), 20);
    return answer(context, 'printed');
  }),
  type('giant-result', async (context) => answer(context, 'x'.repeat(10_000_000))),
  type('fork-and-hang', async (context) => {
    await startGrandchild(context);
    return forever();
  }),
  type('loop-with-grandchild', async (context) => {
    await startGrandchild(context);
    // Until the line is sent.
    await delay(50);
    for (;;);
  }),
  type('fork-and-exit', async (context) => {
    await startGrandchild(context);
    await delay(50);
    return process.exit(0);
  }),
  type('fork-and-answer', async (context) => answer(context, await startGrandchild(context))),
  type('fork-hog', async () => {
    const hog = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(8 << 20, 1)), 1)';
    spawn(process.execPath, ['-e', hog], { stdio: 'ignore' });
    return forever();
  }),
];
