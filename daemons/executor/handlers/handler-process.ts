import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { describeUnknownError } from '@jobber/shared/errors';
import { describeProcessEnd, type EndedFor, type ProcessEnd } from './describe-process-end.ts';
import { createFrameReader, encodeFrame } from './frames.ts';
import {
  ABORT_GRACE_MS,
  HandlerFailed,
  type HandlerFailure,
  type HandlerReport,
  type HandlerRun,
  UNAVAILABLE,
} from './handler-run.ts';
import { MAX_LOG_LINES, PROGRESS_MS } from './handler-voice.ts';
import { childrenOfProcess, memoryOfProcess, sacrificeFirst } from './process-memory.ts';
import { type MessageToProcess, readMessageFromProcess } from './process-messages.ts';
import { readOutput } from './read-output.ts';

export interface HandlerProcessOptions {
  /** Of the job type that it serves. */
  readonly slug: string;
  /** For the handler, in MiB: JavaScript objects, buffers, native memory, and the processes that it starts. */
  readonly memoryMb: number;
  readonly modules: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A process that runs one task of one job type at a time. */
export interface HandlerProcess {
  readonly slug: string;
  /**
   * @throws HandlerFailed when the handler throws or its process ends; ProcessLost when it ended before the handler began;
   * the signal's reason when it was aborted
   */
  run(run: HandlerRun): Promise<HandlerReport>;
  /** Whether it lives, and the last task has left neither processes nor much memory behind. */
  isReusable(): Promise<boolean>;
  /** Ends it and all that it has started. */
  end(): void;
  readonly ended: Promise<unknown>;
}

/** There was no process, or it ended before the handler began: that says nothing about the task, until it happens again and again. */
export class ProcessLost extends Error {
  readonly failure: HandlerFailure;

  constructor(failure: HandlerFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

interface CurrentRun {
  readonly number: number;
  readonly run: HandlerRun;
  readonly settle: PromiseWithResolvers<HandlerReport>;
  begun: boolean;
}

const MIB = 1024 * 1024;
/** What Node itself takes, beside the handler. */
const RUNTIME_BYTES = 64 * MIB;
const WATCH_MS = 50;
/** From the start of a process until its first task begins: modules are imported meanwhile. */
const BEGIN_MS = 30_000;
/** A process that holds more than this part of its memory between tasks is not used again. */
const REUSABLE_PART = 0.5;
/** Results of a task have 6 MiB at most; as JSON in JSON they grow. */
const MAX_MESSAGE_BYTES = 16 * MIB;
/** Of one task: its log, and its results; and for its progress a little more with each period that it runs. */
const MAX_MESSAGES = MAX_LOG_LINES + 10;
const MAX_BYTES = 24 * MIB;
const PERIOD_MS = PROGRESS_MS / 2;
const PERIOD_BYTES = 2 * 1024;
/** Whatever has inherited its standard output may outlive it. */
const LAST_OUTPUT_MS = 500;
/** What a process prints so long after an answer still belongs to that task. */
const LATE_OUTPUT_MS = 5_000;

const ENTRY = createRequire(import.meta.url).resolve('@jobber/executor/handler-child');

/** @throws ProcessLost when there can be no process */
export async function startHandlerProcess(options: HandlerProcessOptions): Promise<HandlerProcess> {
  const { slug, memoryMb, modules } = options;
  const child = await spawnChild(options);
  const pid = child.pid ?? 0;
  const channel = child.stdio[3] as Duplex;
  let current: CurrentRun | undefined;
  let runs = 0;
  let messages = 0;
  let bytes = 0;
  let runsSince = 0;
  let alive = true;
  let how: ProcessEnd | undefined;
  let endedFor: EndedFor | undefined;

  /** Whose output it is: that comes by pipes of its own, which may be read after the answer. */
  let printing: HandlerRun | undefined;
  const log = (stream: string) => (line: string) => printing?.log(line, { stream });
  readOutput(child.stdout as Readable, log('stdout'));
  const errorOutput = readOutput(child.stderr as Readable, log('stderr'));
  child.once('exit', () => {
    // What it has started goes with it.
    end();
    alive = false;
  });
  const ended = untilEnded(child).then(([exitCode, signal]) => {
    how = { exitCode, signal, endedFor, errorOutput: errorOutput() };
    failCurrent(how);
  });
  const read = createFrameReader(MAX_MESSAGE_BYTES);
  channel.on('error', () => {});
  channel.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    try {
      if (bytes > MAX_BYTES + periods() * PERIOD_BYTES) throw new RangeError('too many bytes');
      for (const message of read(chunk)) receive(message);
    } catch {
      endFor('nonsense');
    }
  });
  void sacrificeFirst(pid);
  send({ serve: { slug, modules } });

  function periods(): number {
    return (performance.now() - runsSince) / PERIOD_MS;
  }

  function send(message: MessageToProcess): void {
    channel.write(encodeFrame(message));
  }

  function receive(value: unknown): void {
    messages += 1;
    const message =
      messages > MAX_MESSAGES + periods()
        ? undefined
        : readMessageFromProcess(value, current?.run.items.length ?? 0);
    if (!message) endFor('nonsense');
    if (!message || !current || message.run !== current.number) return;
    const { run, settle } = current;
    if ('started' in message) {
      if (!current.begun) run.onStart();
      current.begun = true;
    } else if ('message' in message) {
      run.log(message.message, message.fields === undefined ? undefined : { fields: message.fields });
    } else if ('progress' in message) run.progress(message.progress);
    else if ('report' in message) settle.resolve(message.report);
    else settle.reject(run.signal.aborted ? run.signal.reason : new HandlerFailed(message.failure));
  }

  function end(): void {
    if (!alive) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nothing of it is left.
    }
  }

  function endFor(cause: EndedFor): void {
    endedFor ??= cause;
    channel.destroy();
    end();
  }

  async function watchMemory(): Promise<void> {
    const held = await memoryOfProcess(pid);
    if (held !== undefined && held > memoryMb * MIB + RUNTIME_BYTES) endFor('memory');
  }

  /** The handler gets its signal, and soon after its process is ended. */
  function abort(number: number): NodeJS.Timeout {
    send({ abort: number });
    return setTimeout(end, ABORT_GRACE_MS);
  }

  function failCurrent(end: ProcessEnd): void {
    if (!current) return;
    const { begun, run, settle } = current;
    const failure = describeProcessEnd(end, memoryMb);
    if (run.signal.aborted) settle.reject(run.signal.reason);
    else settle.reject(begun ? new HandlerFailed(failure) : new ProcessLost(failure));
  }

  async function run(task: HandlerRun): Promise<HandlerReport> {
    task.signal.throwIfAborted();
    runs += 1;
    messages = 0;
    bytes = 0;
    runsSince = performance.now();
    const number = runs;
    const settle = Promise.withResolvers<HandlerReport>();
    current = { number, run: task, settle, begun: false };
    printing = task;
    let grace: NodeJS.Timeout | undefined;
    const onAbort = () => {
      grace = abort(number);
    };
    task.signal.addEventListener('abort', onAbort, { once: true });
    const watch = setInterval(() => void watchMemory(), WATCH_MS);
    const begin = setTimeout(() => !current?.begun && endFor('late'), BEGIN_MS);
    const { jobId, ownerId, traceparent, items } = task;
    send({ run: number, task: { jobId, ownerId, traceparent, items } });
    if (how) failCurrent(how);
    try {
      return await settle.promise;
    } finally {
      clearInterval(watch);
      clearTimeout(begin);
      clearTimeout(grace);
      task.signal.removeEventListener('abort', onAbort);
      current = undefined;
      setTimeout(() => {
        if (runs === number) printing = undefined;
      }, LATE_OUTPUT_MS).unref();
    }
  }

  async function isReusable(): Promise<boolean> {
    if (!alive || endedFor) return false;
    const [left, held = 0] = await Promise.all([childrenOfProcess(pid), memoryOfProcess(pid)]);
    return alive && left.length === 0 && held < memoryMb * MIB * REUSABLE_PART + RUNTIME_BYTES;
  }

  return { slug, run, isReusable, end, ended };
}

async function spawnChild({ memoryMb, environment }: HandlerProcessOptions): Promise<ChildProcess> {
  try {
    const child = spawn(process.execPath, [`--max-old-space-size=${memoryMb}`, ENTRY, `${process.pid}`], {
      // The leader of a group of its own, so that all of the group can be ended.
      detached: true,
      env: { ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    await once(child, 'spawn');
    return child;
  } catch (error) {
    const message = `No process for the handler can be started: ${describeUnknownError(error)}`;
    throw new ProcessLost({ reason: UNAVAILABLE, message, consequence: 'defer' });
  }
}

/** Resolves when the process has ended and its output is read. */
async function untilEnded(child: ChildProcess): Promise<[exitCode: number | null, signal: string | null]> {
  const closed = once(child, 'close');
  const [exitCode, signal] = await once(child, 'exit');
  const patience = new AbortController();
  const enough = delay(LAST_OUTPUT_MS, undefined, { signal: patience.signal }).catch(() => {});
  await Promise.race([closed, enough]);
  patience.abort();
  for (const stream of child.stdio) stream?.destroy();
  return [exitCode, signal];
}
