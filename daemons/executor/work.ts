import { type AttemptOutcome, ItemStatus } from '@jobber/proto/jobs/v1/jobs';
import { describeUnknownError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import { type Attempt, createAttempt } from './attempts/attempt.ts';
import type { Heartbeats } from './attempts/heartbeat.ts';
import type { Reports } from './attempts/report-outcomes.ts';
import type { RunningAttempts } from './attempts/running-attempts.ts';
import type { ExecutorMetrics } from './executor-metrics.ts';
import type { Delivery, Intake, TaskSink } from './intake/intake.ts';
import type { Slots } from './slots.ts';

export interface WorkParts {
  readonly intake: Intake;
  readonly slots: Slots;
  readonly running: RunningAttempts;
  readonly heartbeats: Heartbeats;
  readonly reports: Reports;
  readonly metrics: ExecutorMetrics;
  /** Never rejects; undefined when nobody waits for an outcome. */
  readonly run: (attempt: Attempt, onStart: () => void) => Promise<AttemptOutcome | undefined>;
  readonly log: Logger;
}

export interface Work {
  start(): void;
  /** Takes nothing new, lets handlers end that have begun, gives the rest back, and waits until all of it is stored. */
  stop(): Promise<void>;
}

export interface StopTimes {
  /** What handlers that are running get to end, in milliseconds. */
  readonly handlersMs: number;
  /** What the last outcomes get to be stored. */
  readonly reportsMs: number;
}

/** How often it is looked for tasks that wait, in milliseconds: one that has not begun from one time to the next goes back. */
const LOOK_MS = 1_000;

const STOP_TIMES: StopTimes = { handlersMs: 20_000, reportsMs: 5_000 };

/** Takes tasks from the intake, runs them, and reports how they ended. */
export function createWork(parts: WorkParts, stopTimes: StopTimes = STOP_TIMES): Work {
  const { intake, slots, running, heartbeats, reports, metrics, log } = parts;
  let stopping = false;
  /** Attempts whose outcome is not known yet, in the order of their arrival. */
  const handling = new Set<Attempt>();
  let looking: NodeJS.Timeout | undefined;
  /** What had not begun when it was last looked. */
  let waiting: ReadonlySet<Attempt> = new Set();

  const sink: TaskSink = {
    freeSlots: () => (stopping ? 0 : slots.free()),
    deliver(delivery) {
      try {
        take(delivery);
      } catch (error) {
        log.error({ error: describeUnknownError(error) }, 'a task that breaks the contract was dropped');
      }
    },
  };

  function take(delivery: Delivery): void {
    const attempt = createAttempt(delivery);
    if (!running.add(attempt)) return;
    slots.take();
    heartbeats.watch(attempt);
    if (stopping) attempt.abort('stopping');
    void finish(attempt, performance.now());
  }

  async function finish(attempt: Attempt, arrivedAt: number): Promise<void> {
    handling.add(attempt);
    const outcome = await parts.run(attempt, () => slots.started(performance.now() - arrivedAt));
    handling.delete(attempt);
    if (stopping && handling.size === 0) reports.finishWithin(stopTimes.reportsMs);
    observe(attempt, outcome);
    if (outcome) metrics.reports.inc({ result: await reports.report(attempt, outcome) });
    attempt.settled();
    running.remove(attempt);
    slots.release();
    intake.slotsFreed();
  }

  function observe({ task: { slug: type } }: Attempt, outcome: AttemptOutcome | undefined): void {
    metrics.outcomes.inc({ type, outcome: nameOutcome(outcome) });
    if (outcome && !outcome.notStarted) metrics.handlerSeconds.observe({ type }, outcome.durationMs / 1_000);
  }

  /**
   * Slow tasks may have come while many were held because they were quick. Another executor may run them sooner, and Jobs knows
   * what is more urgent by now. As many stay as can run at once.
   */
  function handBackWaiting(): void {
    const now = new Set([...handling].slice(slots.min).filter(isWaiting));
    const still = now.intersection(waiting);
    waiting = now;
    if (still.size === 0) return;
    slots.shrink();
    intake.withdraw();
    log.info({ tasks: still.size }, 'tasks that could not begin soon go back to Jobs');
    for (const attempt of still) attempt.abort('waiting');
  }

  function start(): void {
    intake.start(sink);
    looking = setInterval(handBackWaiting, LOOK_MS);
  }

  async function stop(): Promise<void> {
    stopping = true;
    clearInterval(looking);
    const lastTasks = intake.stop();
    // What has not begun need not wait for its turn here.
    for (const attempt of running) if (!attempt.started) attempt.abort('stopping');
    const tooLong = setTimeout(() => {
      for (const attempt of running) attempt.abort('stopping');
      reports.finishWithin(stopTimes.reportsMs);
    }, stopTimes.handlersMs);
    await lastTasks;
    // Only outcomes are left to report; Jobs may have gone before us.
    if (handling.size === 0) reports.finishWithin(stopTimes.reportsMs);
    await running.untilGone(running);
    clearTimeout(tooLong);
    heartbeats.stop();
    reports.close();
  }

  return { start, stop };
}

function isWaiting({ started, abortReason }: Attempt): boolean {
  return !started && abortReason === undefined;
}

function nameOutcome(outcome: AttemptOutcome | undefined): string {
  if (!outcome) return 'aborted';
  if (outcome.interrupted) return outcome.notStarted ? 'handed-back' : 'interrupted';
  if (outcome.deferred) return 'deferred';
  if (outcome.items.some(({ status }) => status === ItemStatus.RETRY)) return 'retry';
  return outcome.items.some(({ status }) => status === ItemStatus.FAILED) ? 'failed' : 'succeeded';
}
