import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JobsServiceClient, ReceiveTasksRequest } from '@jobber/proto/jobs/v1/jobs';
import { describeUnknownError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import { type BackoffLimits, createBackoff } from '../backoff.ts';
import type { Intake, TaskSink } from './intake.ts';

export interface DirectIntakeOptions {
  readonly client: Pick<JobsServiceClient, 'receiveTasks'>;
  readonly executorId: string;
  readonly slugs: readonly string[];
  /** Offers the job types: before each subscription, and from time to time while it stands. */
  readonly register: () => Promise<void>;
  readonly onReconnect: () => void;
  readonly log: Logger;
  readonly timing?: Partial<DirectIntakeTiming>;
}

export interface DirectIntakeTiming extends BackoffLimits {
  /** Between two offers of the job types. When one is not answered, the stream is opened anew: it may be dead too. */
  readonly presenceMs: number;
  /** How long tasks that are under way may still arrive after a stop. */
  readonly lastTasksMs: number;
}

const TIMING: DirectIntakeTiming = { minMs: 100, maxMs: 1_000, presenceMs: 60_000, lastTasksMs: 1_000 };
/** A stream that stood this long was no failure: the next try comes soon again. */
const STOOD_MS = 5_000;
/** While all daemons of a platform start, Jobs is there any moment; some two seconds of tries at most this far apart. */
const STARTING_MS = 250;
const PATIENT_TRIES = 10;

/** The direct intake: a stream from Jobs, which claims ready tasks as far as our credit goes. */
export function createDirectIntake(options: DirectIntakeOptions): Intake {
  const { client, executorId, log } = options;
  const timing = { ...TIMING, ...options.timing };
  const backoff = createBackoff(timing);
  const startingBackoff = createBackoff({ ...timing, maxMs: Math.min(STARTING_MS, timing.maxMs) });
  const stopping = new AbortController();
  const cut = new AbortController();
  /** When the stream was answered; undefined while there is none. */
  let standingSince: number | undefined;
  let running: Promise<void> | undefined;
  /** Credit that was granted on the stream, and for which no task has come. */
  let outstanding = 0;
  /** The stream is to end, and its credit with it; another follows. */
  let renewing = false;
  let wake: () => void = () => {};

  async function keepReceiving(sink: TaskSink): Promise<void> {
    let lastProblem = '';
    // All daemons of a platform start at once: that Jobs is not there yet is no problem for a while.
    let patience = PATIENT_TRIES;
    while (!stopping.signal.aborted) {
      const ended = () => (renewing ? undefined : 'Jobs ended the stream');
      const problem = await receive(sink).then(ended, describeUnknownError);
      renewing = false;
      if (problem === undefined) continue;
      const stoodMs = standingSince === undefined ? 0 : performance.now() - standingSince;
      standingSince = undefined;
      if (stopping.signal.aborted) return;
      if (stoodMs > 0) patience = 0;
      if (patience === PATIENT_TRIES) log.info('waiting for Jobs');
      patience -= 1;
      if (patience < 0 && (problem !== lastProblem || stoodMs > 0)) {
        log.warn({ problem }, 'no stream of tasks from Jobs; trying again');
        lastProblem = problem;
      }
      if (stoodMs >= STOOD_MS) backoff.reset();
      await (patience > 0 ? startingBackoff : backoff).wait(stopping.signal);
      options.onReconnect();
    }
  }

  /** One stream, from the subscription to its end. Credit that a lost stream took along is void. */
  async function receive(sink: TaskSink): Promise<void> {
    await options.register();
    const lost = new AbortController();
    const presence = setInterval(() => {
      options.register().catch((error: unknown) => {
        log.warn({ problem: describeUnknownError(error) }, 'offering the job types failed');
        lost.abort();
      });
    }, timing.presenceMs);
    const onAnswer = () => {
      if (standingSince !== undefined) return;
      standingSince = performance.now();
      log.info('receiving tasks from Jobs');
    };
    try {
      const requests = subscribeAndGrant(sink, lost.signal);
      const signal = AbortSignal.any([cut.signal, lost.signal]);
      for await (const { tasks } of client.receiveTasks(requests, { signal })) {
        // The first message has no tasks: it says that the stream stands.
        onAnswer();
        const leasedAt = performance.now();
        outstanding -= tasks.length;
        for (const task of tasks) sink.deliver({ task, leasedAt, settled: () => {} });
        wake();
      }
    } finally {
      clearInterval(presence);
      outstanding = 0;
      lost.abort();
      wake();
    }
  }

  async function* subscribeAndGrant(
    sink: TaskSink,
    lost: AbortSignal,
  ): AsyncGenerator<ReceiveTasksRequest, void, undefined> {
    const subscription = { executorId, slugs: [...options.slugs] };
    yield { request: { $case: 'subscribe', value: subscription } };
    while (!lost.aborted && !stopping.signal.aborted && !renewing) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const more = sink.freeSlots() - outstanding;
      if (more > 0) {
        outstanding += more;
        yield { request: { $case: 'credit', value: more } };
      }
      await woken;
      // Whatever else becomes free in this turn goes into the same message.
      await nextTurn();
    }
  }

  return {
    start(sink) {
      running ??= keepReceiving(sink);
    },
    slotsFreed: () => wake(),
    withdraw() {
      // Nothing takes back credit but the end of its stream; what Jobs has claimed by then still comes.
      if (outstanding <= 0) return;
      renewing = true;
      wake();
    },
    async stop() {
      stopping.abort();
      wake();
      // Our side of the stream is closed now; Jobs answers with what it has claimed already, and closes its own.
      const timer = setTimeout(() => cut.abort(), timing.lastTasksMs);
      await running;
      clearTimeout(timer);
    },
    async check() {
      if (standingSince === undefined)
        throw Object.assign(new Error('no stream from Jobs'), { code: 'NO_STREAM_FROM_JOBS' });
    },
  };
}
