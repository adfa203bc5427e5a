import { type AttemptOutcome, type ItemOutcome, ItemStatus } from '@jobber/proto/jobs/v1/jobs';
import { DamagedSliceError } from '@jobber/shared/records';
import { describeError } from '../handlers/describe-result.ts';
import { HandlerFailed, type HandlerReport, UNAVAILABLE } from '../handlers/handler-run.ts';
import { DamagedInputError, type TaskItem } from '../input/read-task-items.ts';
import { isPeerAway } from '../services/is-peer-away.ts';
import type { Attempt } from './attempt.ts';

const STATUS = {
  succeeded: ItemStatus.SUCCEEDED,
  failed: ItemStatus.FAILED,
  retry: ItemStatus.RETRY,
} as const;

/** The outcome of an attempt whose handler answered. */
export function outcomeOfReport(
  { ref }: Attempt,
  items: readonly TaskItem[],
  report: HandlerReport | undefined,
): AttemptOutcome {
  const described = report?.items.values();
  return {
    ref,
    items: items.map((item): ItemOutcome => {
      if ('problem' in item) return failed(item.offset, ItemStatus.FAILED, 'InvalidRecord', item.problem);
      const outcome = described?.next().value;
      if (!outcome) throw new Error('A handler report has too few items');
      return { ...outcome, status: STATUS[outcome.status], offset: item.offset };
    }),
    interrupted: false,
    notStarted: false,
    deferred: false,
    countersJson: report?.countersJson ?? '',
    durationMs: Math.round(report?.durationMs ?? 0),
  };
}

/**
 * The outcome of an attempt that ended otherwise: by the handler, by its input, or because it was aborted. Undefined
 * when nobody waits for one.
 */
export function outcomeOfError(
  attempt: Attempt,
  error: unknown,
  durationMs: number,
): AttemptOutcome | undefined {
  switch (attempt.abortCause) {
    case 'lost':
    case 'cancelled':
      return undefined;
    case 'stopping':
    case 'waiting':
    case 'lease over':
      return {
        ref: attempt.ref,
        items: [],
        interrupted: true,
        notStarted: !attempt.started,
        deferred: false,
        countersJson: '',
        durationMs,
      };
    case 'timeout': {
      const limit = `${attempt.task.timeoutMs / 1_000} s`;
      return sameForAll(
        attempt,
        ItemStatus.RETRY,
        'Timeout',
        `The attempt took longer than ${limit}`,
        durationMs,
      );
    }
    case undefined:
      return outcomeOfThrown(attempt, error, durationMs);
  }
}

/** All items that the attempt was to run end alike. */
export function sameForAll(
  { ref, task }: Attempt,
  status: ItemStatus,
  reason: string,
  message: string,
  durationMs: number,
): AttemptOutcome {
  const offsets =
    task.offsets.length > 0 ? task.offsets : Array.from({ length: task.itemCount }, (_, i) => i);
  const items = offsets.map((offset) => failed(offset, status, reason, message));
  return {
    ref,
    items,
    interrupted: false,
    notStarted: false,
    deferred: false,
    countersJson: '',
    durationMs: Math.round(durationMs),
  };
}

function outcomeOfThrown(attempt: Attempt, error: unknown, durationMs: number): AttemptOutcome {
  if (error instanceof HandlerFailed) {
    const status = error.consequence === 'fail' ? ItemStatus.FAILED : ItemStatus.RETRY;
    const outcome = sameForAll(attempt, status, error.reason, error.message, durationMs);
    return { ...outcome, deferred: isDeferral(error) };
  }
  if (
    error instanceof DamagedInputError ||
    error instanceof DamagedSliceError ||
    error instanceof SyntaxError
  ) {
    return sameForAll(attempt, ItemStatus.FAILED, 'InputDamaged', error.message, durationMs);
  }
  const deferred = isDeferral(error);
  const reason = deferred ? UNAVAILABLE : 'InputUnreadable';
  const message = "The task's input can't be read at the moment";
  return { ...sameForAll(attempt, ItemStatus.RETRY, reason, message, durationMs), deferred };
}

/** Whether it was no fault of the handler or its input that the attempt failed: something that it needs was away. */
export function isDeferral(error: unknown): boolean {
  return error instanceof HandlerFailed ? error.consequence === 'defer' : isPeerAway(error);
}

function failed(offset: number, status: ItemStatus, reason: string, message: string): ItemOutcome {
  return { offset, status, resultJson: '', error: describeError(reason, message) };
}
