import {
  AckStatus,
  type AttemptOutcome,
  ItemStatus,
  type JobsServiceClient,
} from '@jobber/proto/jobs/v1/jobs';
import { describeUnknownError } from '@jobber/shared/errors';
import { createGroupCommit } from '@jobber/shared/group-commit';
import { deadline } from '@jobber/shared/grpc';
import type { Logger } from '@jobber/shared/log';
import { ClientError, Status } from 'nice-grpc';
import { type Backoff, createBackoff } from '../backoff.ts';
import { type Attempt, describeAttempt } from './attempt.ts';
import { sameForAll } from './describe-outcome.ts';
import type { OutcomeStream } from './outcome-stream.ts';

/** `unanswered`: nobody knows whether it is stored; Jobs runs the task again unless it is. */
export type ReportResult = 'recorded' | 'superseded' | 'unanswered';

export interface Reports {
  /** Resolves once Jobs has answered, or when it is in vain to go on. Never rejects. */
  report(attempt: Attempt, outcome: AttemptOutcome): Promise<ReportResult>;
  /** What has not been answered within this many milliseconds is given up: the executor stops. */
  finishWithin(ms: number): void;
  /** When everything is reported. */
  close(): void;
}

export interface ReportOptions {
  readonly client: Pick<JobsServiceClient, 'acknowledgeJob'>;
  readonly stream: OutcomeStream;
  readonly executorId: string;
  readonly log: Logger;
  /** How long after the end of its lease an outcome is still reported, in milliseconds: until then it may count. */
  readonly patienceMs?: number;
}

const MAX_BATCH = 500;
/** Of results in one message; the limit of gRPC is 8 MiB. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const CALL_MS = 10_000;
const PATIENCE_MS = 60_000;
/** Jobs does not take such an outcome, now or later. */
const REFUSALS: readonly Status[] = [Status.INVALID_ARGUMENT, Status.RESOURCE_EXHAUSTED, Status.OUT_OF_RANGE];

/** Reports outcomes to Jobs; those that arrive together travel together. */
export function createReports(options: ReportOptions): Reports {
  const { client, stream, executorId, log, patienceMs = PATIENCE_MS } = options;
  const giveUp = new AbortController();
  const outage = createOutageLog(log);

  const acknowledgements = createGroupCommit<AttemptOutcome, AckStatus>({
    maxBatch: MAX_BATCH,
    concurrency: 2,
    async run(outcomes) {
      const answered: (AckStatus | Error)[] = [];
      // One large message after the other: neither side holds more of them than one.
      for (const message of cutBySize(outcomes)) answered.push(...(await send(message)));
      return answered;
    },
  });

  /** Over the stream; when that fails, for whatever reason, by a call of its own. */
  async function send(outcomes: AttemptOutcome[]): Promise<(AckStatus | Error)[]> {
    try {
      return statusesOf(outcomes, await stream.send({ executorId, outcomes }));
    } catch {
      return await acknowledge(outcomes);
    }
  }

  function statusesOf(
    outcomes: readonly AttemptOutcome[],
    { statuses }: { statuses: readonly AckStatus[] },
  ): AckStatus[] {
    outage.over();
    return outcomes.map((_, index) => statuses[index] ?? AckStatus.UNSPECIFIED);
  }

  /** One call; when Jobs refuses it, one call each, so that an outcome does not suffer from its neighbours. */
  async function acknowledge(outcomes: readonly AttemptOutcome[]): Promise<(AckStatus | Error)[]> {
    try {
      const request = { executorId, outcomes: [...outcomes] };
      return statusesOf(outcomes, await client.acknowledgeJob(request, deadline(CALL_MS, giveUp.signal)));
    } catch (error) {
      if (outcomes.length > 1 && isRefusal(error)) {
        return (await Promise.all(outcomes.map((outcome) => acknowledge([outcome])))).flat();
      }
      return outcomes.map(() => toError(error));
    }
  }

  async function report(attempt: Attempt, outcome: AttemptOutcome): Promise<ReportResult> {
    let backoff: Backoff | undefined;
    let current = outcome;
    while (!giveUp.signal.aborted) {
      try {
        const status = await acknowledgements.submit(current);
        if (status === AckStatus.RECORDED) return 'recorded';
        if (status === AckStatus.SUPERSEDED) return 'superseded';
        log.warn(describeAttempt(attempt), 'Jobs did not say whether it stored an outcome; asking again');
      } catch (error) {
        const problem = describeUnknownError(error);
        if (isRefusal(error) && current !== outcome) {
          log.error({ ...describeAttempt(attempt), problem }, 'Jobs refuses every outcome of the attempt');
          return 'unanswered';
        }
        if (isRefusal(error)) {
          log.warn({ ...describeAttempt(attempt), problem }, 'Jobs refuses an outcome');
          current = refusedOutcome(attempt, outcome, problem);
        } else outage.noted(attempt, problem);
      }
      if (performance.now() > attempt.leaseUntil + patienceMs) break;
      backoff ??= createBackoff({ minMs: 100, maxMs: 2_000 });
      await backoff.wait(giveUp.signal);
    }
    log.error(
      describeAttempt(attempt),
      'an outcome could not be reported; its lease is over, Jobs runs the task again',
    );
    return 'unanswered';
  }

  return {
    report,
    finishWithin(ms) {
      setTimeout(() => {
        giveUp.abort();
        stream.close();
      }, ms).unref();
    },
    close: () => stream.close(),
  };
}

/** One line when an outage begins and one when it is over: there may be hundreds of outcomes, each tried many times. */
function createOutageLog(log: Logger): { noted(attempt: Attempt, problem: string): void; over(): void } {
  let failures = 0;
  return {
    noted(attempt, problem) {
      failures += 1;
      const level = failures === 1 ? 'warn' : 'debug';
      log[level]({ ...describeAttempt(attempt), problem }, 'reporting outcomes to Jobs fails; trying again');
    },
    over() {
      if (failures > 0) log.info({ failures }, 'Jobs takes outcomes again');
      failures = 0;
    },
  };
}

/** What is reported in place of an outcome that Jobs does not take: it would not take it next time either. */
function refusedOutcome(attempt: Attempt, outcome: AttemptOutcome, problem: string): AttemptOutcome {
  const message = `Jobs did not take the outcome: ${problem}`;
  return sameForAll(attempt, ItemStatus.FAILED, 'OutcomeRefused', message, outcome.durationMs);
}

function isRefusal(error: unknown): boolean {
  return error instanceof ClientError && REFUSALS.includes(error.code);
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(describeUnknownError(error));
}

function cutBySize(outcomes: readonly AttemptOutcome[]): AttemptOutcome[][] {
  const messages: AttemptOutcome[][] = [];
  let room = 0;
  for (const outcome of outcomes) {
    // Characters: results are mostly ASCII, and the limit leaves room for the others.
    const size = outcome.items.reduce((sum, { resultJson }) => sum + resultJson.length + 32, 64);
    if (messages.length === 0 || size > room) {
      messages.push([]);
      room = MAX_BATCH_BYTES;
    }
    messages.at(-1)?.push(outcome);
    room -= size;
  }
  return messages;
}
