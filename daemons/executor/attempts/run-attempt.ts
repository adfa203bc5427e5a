import type { JobType } from '@jobber/job-types';
import type { AttemptOutcome } from '@jobber/proto/jobs/v1/jobs';
import { describeUnknownError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import { boundProgress } from '@jobber/shared/progress';
import { HandlerFailed, type HandlerReport, type HandlerRun } from '../handlers/handler-run.ts';
import { MAX_LOG_LINES } from '../handlers/handler-voice.ts';
import { type ItemSource, readTaskItems, type TaskItem } from '../input/read-task-items.ts';
import { retryReading } from '../input/retry-reading.ts';
import type { Turns } from '../turns.ts';
import { type Attempt, describeAttempt } from './attempt.ts';
import { type AttemptClock, createAttemptClock } from './attempt-clock.ts';
import { isDeferral, outcomeOfError, outcomeOfReport } from './describe-outcome.ts';
import type { Suspects } from './suspects.ts';

export interface AttemptParts {
  readonly types: ReadonlyMap<string, JobType>;
  readonly source: ItemSource;
  /** For attempts that hold much memory or do not queue for a thread. */
  readonly turns: Turns;
  readonly suspects: Suspects;
  readonly runHandler: (run: HandlerRun) => Promise<HandlerReport>;
  readonly onStart: () => void;
  readonly log: Logger;
}

/** Runs one attempt to its outcome; undefined when nobody waits for one. Never rejects. */
export async function runAttempt(parts: AttemptParts, attempt: Attempt): Promise<AttemptOutcome | undefined> {
  const clock = createAttemptClock(attempt);
  let endTurn: (() => void) | undefined;
  try {
    const type = findType(parts.types, attempt);
    await parts.suspects.enter(attempt);
    if (needsTurn(type, attempt)) endTurn = await parts.turns.take(attempt.signal);
    const items = await readInput(parts, type, attempt);
    const report = await runItems(parts, type, attempt, items, clock);
    if (!attempt.holdsLease) return outcomeOfError(attempt, undefined, clock.elapsedMs());
    return outcomeOfReport(attempt, items, report);
  } catch (error) {
    logFailure(parts.log, attempt, error);
    return outcomeOfError(attempt, error, clock.elapsedMs());
  } finally {
    clock.stop();
    endTurn?.();
  }
}

function findType(types: AttemptParts['types'], { task }: Attempt): JobType {
  const type = types.get(task.slug);
  if (type) return type;
  const message = `This executor does not know the job type ${task.slug}`;
  throw new HandlerFailed({ reason: 'UnknownJobType', message, consequence: 'retry' });
}

function needsTurn(type: JobType, { task }: Attempt): boolean {
  return type.runs === 'inline' || task.input?.$case === 'upload';
}

/** Jobs may be restarting while the lease is still ours: one failure to read is no reason to give up. */
async function readInput(
  { source, log }: AttemptParts,
  type: JobType,
  attempt: Attempt,
): Promise<TaskItem[]> {
  const { task, signal } = attempt;
  signal.throwIfAborted();
  return await retryReading(
    () => readTaskItems(source, task, type, signal),
    signal,
    (problem) =>
      // When it goes on failing, the attempt's end is what is worth a warning.
      log.debug({ ...describeAttempt(attempt), problem }, "reading a task's input failed; trying again"),
  );
}

async function runItems(
  { runHandler, onStart, log }: AttemptParts,
  type: JobType,
  attempt: Attempt,
  items: readonly TaskItem[],
  clock: AttemptClock,
): Promise<HandlerReport | undefined> {
  const { task, ref, signal } = attempt;
  const sound = items.flatMap((item) =>
    'problem' in item ? [] : [{ index: item.index, value: item.value }],
  );
  if (sound.length === 0) return undefined;
  let logLines = 0;
  return await runHandler({
    type,
    jobId: ref.jobId,
    ownerId: task.ownerId,
    traceparent: task.traceparent || undefined,
    items: sound,
    signal,
    onStart() {
      attempt.started = true;
      clock.start();
      onStart();
    },
    log(message, fields) {
      logLines += 1;
      if (logLines > MAX_LOG_LINES) return;
      const suppressed = logLines === MAX_LOG_LINES && { further: 'suppressed' };
      log.info({ ...describeAttempt(attempt), handler: readFields(fields), ...suppressed }, message);
    },
    progress({ done, total, note }) {
      attempt.progress = boundProgress(done, total, note) ?? attempt.progress;
    },
  });
}

/** Fields that a handler gave arrive as JSON, which may have been cut. */
function readFields(said: Readonly<Record<string, unknown>> | undefined): unknown {
  const { fields } = said ?? {};
  if (typeof fields !== 'string') return said;
  try {
    return JSON.parse(fields);
  } catch {
    return said;
  }
}

function logFailure(log: Logger, attempt: Attempt, error: unknown): void {
  if (attempt.signal.aborted) {
    log.info({ ...describeAttempt(attempt), cause: attempt.signal.reason?.abortCause }, 'attempt aborted');
  } else if (isDeferral(error)) {
    log.info({ ...describeAttempt(attempt), problem: describeUnknownError(error) }, 'attempt deferred');
  } else log.warn({ ...describeAttempt(attempt), err: error }, 'attempt failed');
}
