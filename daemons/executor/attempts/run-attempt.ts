import type { JobType } from '@jobber/job-types';
import type { AttemptOutcome, UploadSlice } from '@jobber/proto/jobs/v1/jobs';
import { describeUnknownError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import { boundProgress, type Progress } from '@jobber/shared/progress';
import {
  HandlerFailed,
  type HandlerReport,
  type HandlerRun,
  type InlineRun,
} from '../handlers/handler-run.ts';
import { MAX_LOG_LINES } from '../handlers/handler-voice.ts';
import { type ItemSource, readTaskItems, type TaskItem, takeTaskItems } from '../input/read-task-items.ts';
import { retryReading } from '../input/retry-reading.ts';
import type { Turns } from '../turns.ts';
import { type Attempt, describeAttempt } from './attempt.ts';
import { AttemptClock } from './attempt-clock.ts';
import { isDeferral, outcomeOfError, outcomeOfReport } from './describe-outcome.ts';
import type { Suspects } from './suspects.ts';

export interface AttemptParts {
  readonly types: ReadonlyMap<string, JobType>;
  readonly source: ItemSource;
  /** For attempts that hold much memory or do not queue for a thread. */
  readonly turns: Turns;
  readonly suspects: Suspects;
  readonly runHandler: (run: InlineRun) => Promise<HandlerReport>;
  readonly log: Logger;
}

/** Runs one attempt to its outcome; undefined when nobody waits for one. Never rejects. */
export async function runAttempt(
  parts: AttemptParts,
  attempt: Attempt,
  onStart: () => void,
): Promise<AttemptOutcome | undefined> {
  const clock = new AttemptClock(attempt);
  let hasTurn = false;
  try {
    const type = findType(parts.types, attempt);
    // Small tasks come by the hundred: whatever need not be waited for is not.
    const entering = parts.suspects.enter(attempt);
    if (entering !== undefined) await entering;
    if (needsTurn(type, attempt)) {
      const waiting = parts.turns.take(attempt, {
        ownerId: attempt.task.ownerId,
        jobId: attempt.ref.jobId,
      });
      if (waiting !== undefined) await waiting;
      hasTurn = true;
    }
    if (attempt.abortReason !== undefined) throw attempt.abortReason;
    const { task } = attempt;
    const items =
      task.input?.$case === 'upload'
        ? await readUpload(parts, type, attempt, task.input.value)
        : takeTaskItems(task);
    const sound = soundItems(items);
    const report =
      sound.length > 0
        ? await parts.runHandler(
            new AttemptRun({ type, items: sound, attempt, clock, onStart, log: parts.log }),
          )
        : undefined;
    if (!attempt.holdsLease) return outcomeOfError(attempt, undefined, clock.elapsedMs());
    return outcomeOfReport(attempt, items, report);
  } catch (error) {
    logFailure(parts.log, attempt, error);
    return outcomeOfError(attempt, error, clock.elapsedMs());
  } finally {
    clock.stop();
    if (hasTurn) parts.turns.end();
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
async function readUpload(
  { source, log }: AttemptParts,
  type: JobType,
  attempt: Attempt,
  slice: UploadSlice,
): Promise<TaskItem[]> {
  const { task, signal } = attempt;
  return await retryReading(
    () => readTaskItems(source, task, slice, type, signal),
    signal,
    (problem) =>
      // When it goes on failing, the attempt's end is what is worth a warning.
      log.debug({ ...describeAttempt(attempt), problem }, "reading a task's input failed; trying again"),
  );
}

function soundItems(items: readonly TaskItem[]): { index: number; value: unknown }[] {
  const sound = [];
  for (const item of items) if ('value' in item) sound.push({ index: item.index, value: item.value });
  return sound;
}

interface AttemptRunParts {
  readonly type: JobType;
  readonly items: HandlerRun['items'];
  readonly attempt: Attempt;
  readonly clock: AttemptClock;
  readonly onStart: () => void;
  readonly log: Logger;
}

/** An attempt as its handler's surroundings see it. */
class AttemptRun implements InlineRun {
  readonly #parts: AttemptRunParts;
  #logLines = 0;

  constructor(parts: AttemptRunParts) {
    this.#parts = parts;
  }

  get type(): JobType {
    return this.#parts.type;
  }
  get items(): HandlerRun['items'] {
    return this.#parts.items;
  }
  get jobId(): number {
    return this.#parts.attempt.ref.jobId;
  }
  get ownerId(): string {
    return this.#parts.attempt.task.ownerId;
  }
  get traceparent(): string | undefined {
    return this.#parts.attempt.task.traceparent || undefined;
  }
  get signal(): AbortSignal {
    return this.#parts.attempt.signal;
  }
  get abortReason(): unknown {
    return this.#parts.attempt.abortReason;
  }
  get onAbort(): (() => void) | undefined {
    return this.#parts.attempt.onAbort;
  }
  set onAbort(onAbort: (() => void) | undefined) {
    this.#parts.attempt.onAbort = onAbort;
  }

  onStart(): void {
    const { attempt, clock, onStart } = this.#parts;
    attempt.started = true;
    clock.start();
    onStart();
  }

  log(message: string, fields: Readonly<Record<string, unknown>> | undefined): void {
    this.#logLines += 1;
    if (this.#logLines > MAX_LOG_LINES) return;
    const { log, attempt } = this.#parts;
    const suppressed = this.#logLines === MAX_LOG_LINES && { further: 'suppressed' };
    log.info({ ...describeAttempt(attempt), handler: readFields(fields), ...suppressed }, message);
  }

  progress({ done, total, note }: Progress): void {
    const { attempt } = this.#parts;
    attempt.progress = boundProgress(done, total, note) ?? attempt.progress;
  }
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
  if (attempt.abortCause === 'waiting') return;
  if (attempt.abortCause) {
    log.info({ ...describeAttempt(attempt), cause: attempt.abortCause }, 'attempt aborted');
  } else if (isDeferral(error)) {
    log.info({ ...describeAttempt(attempt), problem: describeUnknownError(error) }, 'attempt deferred');
  } else log.warn({ ...describeAttempt(attempt), err: error }, 'attempt failed');
}
