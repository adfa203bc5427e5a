import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Logger } from '@jobber/shared/log';
import { Piscina } from 'piscina';
import { createFairLine, type InLine } from '../fair-line.ts';
import { describeCrash } from './describe-crash.ts';
import {
  ABORT_GRACE_MS,
  HandlerFailed,
  type HandlerPool,
  type HandlerPoolOptions,
  type HandlerReport,
  type HandlerRun,
} from './handler-run.ts';
import {
  type BatchMessage,
  TaskState,
  type ThreadData,
  type ThreadMessage,
  type ThreadOutcome,
} from './thread-messages.ts';

/** In a thread only JavaScript objects count as memory; one that needs more is ended. */
export interface ThreadPoolOptions extends HandlerPoolOptions {
  readonly threads: number;
  readonly log: Logger;
}

interface Entry extends InLine {
  readonly run: HandlerRun;
  readonly settle: PromiseWithResolvers<HandlerReport>;
  readonly onAbort: () => void;
  /** Where it runs, or waits in a thread; undefined while it is in the pool's own queue. */
  batch: Batch | undefined;
  begun: boolean;
  settled: boolean;
  /** How often a thread ended before this task's turn. */
  losses: number;
}

interface Batch {
  readonly memoryMb: number;
  readonly entries: readonly Entry[];
  readonly states: Int32Array;
  readonly port: MessagePort;
  readonly terminate: AbortController;
  /** The task that was running when it was last looked at, and since when. */
  running: number;
  runningSince: number;
}

/** Many tiny tasks of one type travel together: as many as are done within about this time, in milliseconds. */
const BATCH_MS = 5;
const MAX_BATCH = 64;
/** What is done within this time, in milliseconds, is not shared with another thread: waking that takes as long. */
const SHARED_MS = 1;
/** How often the running threads are looked at, and how long a task may hold up those behind it. */
const SWEEP_MS = 50;
const MAX_LOSSES = 3;
/** For short-lived objects; V8 would take several times as much of every thread, and keep it. */
const YOUNG_MB = 32;

/** A thread that ends before a task's turn says nothing about the task, until it happens again and again. */
function isLostTooOften(entry: Entry, { terminate }: Batch): boolean {
  if (!terminate.signal.aborted) entry.losses += 1;
  return entry.losses >= MAX_LOSSES;
}

/**
 * Runs handlers in worker threads. Tasks wait here rather than in Piscina, which is given no more than it has threads
 * for: so they can be sent in batches, be taken back from a thread that is busy for longer, and survive its death.
 */
export function createThreadPool(options: ThreadPoolOptions): HandlerPool {
  /** By the memory of a thread, which is fixed when it starts. */
  const pools = new Map<number, Threads>();
  const queue = createFairLine<Entry>();
  const batches = new Set<Batch>();
  const taskMs = new Map<string, number>();
  let scheduled = false;
  let sweeper: NodeJS.Timeout | undefined;

  function schedule(): void {
    if (scheduled || queue.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      for (let free = options.threads - batches.size; free > 0 && queue.length > 0; free--) {
        startBatch(takeFromQueue(free));
      }
    });
  }

  /** The first task and those like it behind it, leaving enough for the other free threads to be worth their while. */
  function takeFromQueue(freeThreads: number): Entry[] {
    const type = queue.first()?.run.type;
    const known = (type && taskMs.get(type.slug)) ?? BATCH_MS;
    const doneWithin = (ms: number) => Math.floor(ms / Math.max(known, 0.001));
    const share = Math.max(Math.ceil(queue.length / freeThreads), doneWithin(SHARED_MS));
    const most = Math.max(1, Math.min(MAX_BATCH, doneWithin(BATCH_MS), share));
    return queue.take(most, ({ run }) => run.type === type);
  }

  function threadsOf(memoryMb: number): Threads {
    const threads = pools.get(memoryMb) ?? startThreads(options, memoryMb);
    pools.set(memoryMb, threads);
    return threads;
  }

  function startBatch(entries: readonly Entry[]): void {
    const { slug = '', memoryMb = options.memoryMb } = entries[0]?.run.type ?? {};
    const { port1, port2 } = new MessageChannel();
    const states = new Int32Array(new SharedArrayBuffer(entries.length * 4));
    const terminate = new AbortController();
    const runningSince = performance.now();
    const batch = { memoryMb, entries, states, port: port1, terminate, running: 0, runningSince };
    batches.add(batch);
    for (const entry of entries) entry.batch = batch;
    begin(entries[0]);
    port1.on('message', (message: ThreadMessage) => receive(batch, message));
    port1.unref();
    sweeper ??= setInterval(sweep, SWEEP_MS);
    const tasks = entries.map(({ run: { jobId, ownerId, traceparent, items } }) => {
      return { jobId, ownerId, traceparent, items };
    });
    const message: BatchMessage = { slug, tasks, states, port: port2 };
    threadsOf(memoryMb)
      .run(message, { transferList: [port2], signal: terminate.signal })
      .then(
        (last) => endBatch(batch, last),
        (error: unknown) => endBatch(batch, undefined, error),
      );
  }

  function endBatch(batch: Batch, last: ThreadOutcome | undefined, error?: unknown): void {
    // What the thread sent before it ended may not have been delivered yet.
    for (let next = receiveMessageOnPort(batch.port); next; next = receiveMessageOnPort(batch.port)) {
      receive(batch, next.message as ThreadMessage);
    }
    if (last) receive(batch, last);
    batch.port.close();
    batches.delete(batch);
    for (const [index, entry] of [...batch.entries.entries()].reverse()) {
      if (entry.settled || entry.batch !== batch) continue;
      const wasRunning = Atomics.load(batch.states, index) === TaskState.RUNNING;
      if (entry.run.signal.aborted) settle(entry, entry.run.signal.reason);
      else if (wasRunning || isLostTooOften(entry, batch)) {
        settle(entry, new HandlerFailed(describeCrash(error, batch.memoryMb)));
      } else putBack(entry);
    }
    if (batches.size === 0) {
      clearInterval(sweeper);
      sweeper = undefined;
    }
    schedule();
  }

  function receive({ entries }: Batch, message: ThreadMessage): void {
    if ('message' in message) {
      const fields = message.fields === undefined ? undefined : { fields: message.fields };
      entries[message.index]?.run.log(message.message, fields);
      return;
    }
    const entry = entries[message.index];
    if ('progress' in message) {
      entry?.run.progress(message.progress);
      return;
    }
    if (!entry || entry.settled) return;
    begin(entry);
    const { type, signal } = entry.run;
    const durationMs = 'report' in message ? message.report.durationMs : message.durationMs;
    taskMs.set(type.slug, durationMs * 0.2 + (taskMs.get(type.slug) ?? durationMs) * 0.8);
    if ('report' in message) settle(entry, undefined, message.report);
    else settle(entry, signal.aborted ? signal.reason : new HandlerFailed(message.failure));
  }

  /** Looks which tasks are running, and takes back what waits behind one that lasts. */
  function sweep(): void {
    const now = performance.now();
    for (const batch of batches) {
      const running = batch.states.indexOf(TaskState.RUNNING);
      if (running < 0) continue;
      if (running !== batch.running) {
        batch.running = running;
        batch.runningSince = now;
        begin(batch.entries[running]);
      } else if (now - batch.runningSince >= SWEEP_MS) {
        for (let index = batch.entries.length - 1; index > running; index--) takeBack(batch, index);
      }
    }
    schedule();
  }

  function takeBack(batch: Batch, index: number): boolean {
    const entry = batch.entries[index];
    if (!entry || !takeFromThread(batch, index)) return false;
    putBack(entry);
    return true;
  }

  function takeFromThread({ states }: Batch, index: number): boolean {
    const before = Atomics.compareExchange(states, index, TaskState.WAITING, TaskState.TAKEN);
    return before === TaskState.WAITING;
  }

  function putBack(entry: Entry): void {
    entry.batch = undefined;
    queue.putBack(entry);
  }

  function begin(entry: Entry | undefined): void {
    if (!entry || entry.begun) return;
    entry.begun = true;
    entry.run.onStart();
  }

  function settle(entry: Entry, error: unknown, report?: HandlerReport): void {
    entry.settled = true;
    entry.run.signal.removeEventListener('abort', entry.onAbort);
    if (report) entry.settle.resolve(report);
    else entry.settle.reject(error);
  }

  /** A task that waits is simply dropped; a running handler gets its signal, and soon after its thread is ended. */
  function abort(entry: Entry): void {
    const { batch } = entry;
    const index = batch ? batch.entries.indexOf(entry) : -1;
    if (!batch || takeFromThread(batch, index)) {
      queue.remove(entry);
      settle(entry, entry.run.signal.reason);
      return;
    }
    // The thread has begun it, if nobody has noticed yet.
    begin(entry);
    batch.port.postMessage({ abort: index });
    setTimeout(() => {
      if (!entry.settled) batch.terminate.abort();
    }, ABORT_GRACE_MS);
  }

  return {
    run(run) {
      if (run.signal.aborted) return Promise.reject(run.signal.reason);
      const settle = Promise.withResolvers<HandlerReport>();
      const entry: Entry = {
        run,
        ownerId: run.ownerId,
        jobId: run.jobId,
        settle,
        onAbort: () => abort(entry),
        batch: undefined,
        begun: false,
        settled: false,
        losses: 0,
      };
      run.signal.addEventListener('abort', entry.onAbort, { once: true });
      queue.add(entry);
      schedule();
      return settle.promise;
    },
    async close() {
      await Promise.all([...pools.values()].map((threads) => threads.destroy()));
    },
  };
}

type Threads = Piscina<BatchMessage, ThreadOutcome | undefined>;

function startThreads(
  { threads, idleMs, environment, modules, log }: ThreadPoolOptions,
  memoryMb: number,
): Threads {
  const pool: Threads = new Piscina({
    filename: pathToFileURL(createRequire(import.meta.url).resolve('@jobber/executor/handler-worker')).href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: idleMs,
    atomics: 'disabled',
    recordTiming: false,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: YOUNG_MB },
    execArgv: [],
    env: { ...environment } as NodeJS.ProcessEnv,
    workerData: { modules } satisfies ThreadData,
  });
  pool.on('error', (error: unknown) => log.warn({ err: error }, 'a thread without a task ended'));
  return pool;
}
