import {
  type AcknowledgeJobRequest,
  type AcknowledgeJobResponse,
  AckStatus,
  type JobsServiceImplementation,
  type LeasedTask,
  LeaseStatus,
  type ReceiveTasksRequest,
  type StartTaskResponse,
} from '@jobber/proto/jobs/v1/jobs';
import { AppError, type ClassifyError, isAppError, refuse } from '@jobber/shared/errors';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { Cancellations } from '../dispatch/cancellations.ts';
import type { Subscription } from '../dispatch/subscription.ts';
import type { TaskFeed } from '../dispatch/task-feed.ts';
import type { JobsMetrics } from '../jobs-metrics.ts';
import { readRunningUpload } from '../transitions/read-running-upload.ts';
import { renewLeases } from '../transitions/renew-leases.ts';
import type { StartedTask } from '../transitions/started-task.ts';
import { isObjectMissing, type ObjectStorage } from '../uploads/object-storage.ts';
import type { RecordOutcomes } from '../use-cases/record-outcomes.ts';
import { registerJobTypes } from '../use-cases/register-job-types.ts';
import type { StartTask } from '../use-cases/start-task.ts';
import { answerInOrder } from './answer-in-order.ts';
import { batchBySize } from './batch-by-size.ts';
import { checkExecutorId, toOfferedType, toOutcome, toProgress, toRef } from './check-messages.ts';

export interface JobsGrpcParts {
  readonly pool: Pool;
  readonly catalog: JobTypeCatalog;
  readonly feed: TaskFeed;
  readonly cancellations: Cancellations;
  readonly storage: ObjectStorage;
  readonly recordOutcomes: RecordOutcomes;
  readonly startTask: StartTask;
  readonly leaseMs: number;
  /** Aborted when the service stops: streams of outcomes end. */
  readonly stopping: AbortSignal;
  readonly metrics: Pick<JobsMetrics, 'requestSeconds'>;
  readonly classify: ClassifyError;
}

const MAX_REFS = 10_000;
const MAX_CREDIT = 10_000;
const MAX_TYPES = 1_000;
const MAX_STARTS = 500;
/** Input of the tasks that travel in one message; the message limit is 8 MiB. */
const MAX_INPUT_BYTES = 4 * 1024 * 1024;

/** All methods of JobsService are for executors. */
export const JOBS_SERVICE_CALLERS = {
  RegisterJobTypes: ['executor'],
  ReceiveTasks: ['executor'],
  StartTask: ['executor'],
  StartTasks: ['executor'],
  Heartbeat: ['executor'],
  WatchCancellations: ['executor'],
  AcknowledgeJob: ['executor'],
  ReportOutcomes: ['executor'],
  ReadUpload: ['executor'],
} as const;

export function jobsGrpcService(parts: JobsGrpcParts): JobsServiceImplementation {
  const { pool, catalog, feed, cancellations, storage, leaseMs, metrics, classify } = parts;

  async function measured<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const stop = metrics.requestSeconds.startTimer({ edge: 'grpc', operation });
    try {
      const answer = await work();
      stop({ outcome: 'ok' });
      return answer;
    } catch (error) {
      stop({ outcome: (isAppError(error) ? error : classify(error))?.reason ?? 'INTERNAL' });
      throw error;
    }
  }

  /** The catalog has been read again where that was due. */
  function toLeasedTask(task: StartedTask): LeasedTask {
    return {
      ref: { jobId: task.jobId, seq: task.seq, attempt: task.attempt },
      slug: task.type,
      firstItem: task.firstItem,
      itemCount: task.itemCount,
      offsets: undecidedOffsets(task),
      input: task.upload
        ? {
            $case: 'upload',
            value: { ...task.upload, fileName: task.upload.name, csvHeader: [...task.upload.csvHeader] },
          }
        : { $case: 'itemsJson', value: task.items ?? '[]' },
      leaseMs,
      timeoutMs: task.timeoutMs ?? catalog.lastSeen(task.type)?.timeoutMs ?? leaseMs,
      ownerId: task.ownerId,
      traceparent: task.traceparent ?? '',
      interruptions: task.interruptions,
    };
  }

  function toStartResponse(task: StartedTask | undefined): StartTaskResponse {
    if (!task) return { result: { $case: 'superseded', value: {} } };
    return { result: { $case: 'task', value: toLeasedTask(task) } };
  }

  const acknowledgeJob = ({ executorId, outcomes }: AcknowledgeJobRequest): Promise<AcknowledgeJobResponse> =>
    measured('AcknowledgeJob', async () => {
      if (outcomes.length > MAX_REFS) refuse('TOO_LARGE', `At most ${MAX_REFS} outcomes in one request`);
      checkExecutorId(executorId);
      const statuses = await parts.recordOutcomes(outcomes.map((outcome) => toOutcome(outcome, executorId)));
      return { statuses: statuses.map((status) => ACK_STATUS[status]) };
    });

  return {
    registerJobTypes: ({ types, followsMore }) =>
      measured('RegisterJobTypes', async () => {
        if (types.length > MAX_TYPES) refuse('TOO_LARGE', `At most ${MAX_TYPES} job types in one request`);
        return { slugs: await registerJobTypes(parts, types.map(toOfferedType), followsMore) };
      }),

    async *receiveTasks(requests, context) {
      const iterator = requests[Symbol.asyncIterator]();
      const first = await iterator.next();
      if (first.done || first.value.request?.$case !== 'subscribe') {
        throw new AppError('INVALID_INPUT', 'The first message must subscribe');
      }
      const { executorId, slugs } = first.value.request.value;
      if (slugs.length > MAX_TYPES) refuse('TOO_LARGE', `At most ${MAX_TYPES} job types in one subscription`);
      // An executor that stops ends its side of the stream: nothing more must be claimed for it.
      const unsubscribed = new AbortController();
      const subscription = feed.subscribe({
        executorId: checkExecutorId(executorId),
        types: [...new Set(slugs)],
        gone: AbortSignal.any([context.signal, unsubscribed.signal]),
      });
      // The executor learns that its stream stands before there is a task for it (nice-grpc sends no empty header).
      yield { tasks: [] };
      void grantCredit(iterator, subscription).finally(() => unsubscribed.abort());
      for await (const claimed of subscription.tasks()) {
        for (const batch of batchBySize(claimed, inputBytes, MAX_INPUT_BYTES)) {
          await catalog.refresh();
          yield { tasks: batch.map(toLeasedTask) };
        }
      }
    },

    startTask: ({ executorId, ref }) =>
      measured('StartTask', async () => {
        const task = await parts.startTask({ ...toRef(ref), executorId: checkExecutorId(executorId) });
        await catalog.refresh();
        return toStartResponse(task);
      }),

    async *startTasks({ executorId: id, refs }) {
      const tasks = await measured('StartTasks', async () => {
        if (refs.length > MAX_STARTS) refuse('TOO_LARGE', `At most ${MAX_STARTS} starts in one request`);
        const executorId = checkExecutorId(id);
        return await Promise.all(refs.map(toRef).map((ref) => parts.startTask({ ...ref, executorId })));
      });
      const bytes = (task: StartedTask | undefined) => (task ? inputBytes(task) : 0);
      for (const batch of batchBySize(tasks, bytes, MAX_INPUT_BYTES)) {
        await catalog.refresh();
        yield { results: batch.map(toStartResponse) };
      }
    },

    heartbeat: ({ refs, progress }) =>
      measured('Heartbeat', async () => {
        if (refs.length > MAX_REFS) refuse('TOO_LARGE', `At most ${MAX_REFS} attempts in one heartbeat`);
        const statuses = await renewLeases(pool, refs.map(toRef), leaseMs, toProgress(progress));
        return { statuses: statuses.map((status) => LEASE_STATUS[status]) };
      }),

    async *watchCancellations({ executorId }, context) {
      checkExecutorId(executorId);
      // The executor learns that its stream stands.
      yield { jobIds: [] };
      for await (const jobIds of cancellations.watch(context.signal)) yield { jobIds };
    },

    acknowledgeJob,

    reportOutcomes: (requests, { signal }) =>
      answerInOrder(requests, acknowledgeJob, AbortSignal.any([signal, parts.stopping])),

    async *readUpload({ ref, byteFrom, byteTo }) {
      const range = { from: byteFrom, to: byteTo };
      const name = await readRunningUpload(pool, toRef(ref), range);
      if (name === undefined)
        throw new AppError('NOT_FOUND', 'The attempt is not running, or has no such bytes');
      try {
        for await (const chunk of storage.read(name, range)) yield { chunk };
      } catch (error) {
        if (!isObjectMissing(error)) throw error;
        throw new AppError('FILE_UNREADABLE', `Error reading file: ${name}`);
      }
    },
  };
}

const LEASE_STATUS = {
  renewed: LeaseStatus.RENEWED,
  lost: LeaseStatus.LOST,
  cancelled: LeaseStatus.CANCELLED,
} as const;

const ACK_STATUS = {
  recorded: AckStatus.RECORDED,
  superseded: AckStatus.SUPERSEDED,
} as const;

async function grantCredit(
  requests: AsyncIterator<ReceiveTasksRequest>,
  subscription: Subscription,
): Promise<void> {
  try {
    for (let next = await requests.next(); !next.done; next = await requests.next()) {
      if (next.value.request?.$case !== 'credit') continue;
      const credit = next.value.request.value;
      if (credit > 0 && credit <= MAX_CREDIT) subscription.grant(credit);
    }
    // The executor wants no more.
    subscription.close();
  } catch {
    // The stream has ended; so has the subscription, by its signal.
  }
}

function inputBytes({ items, upload }: StartedTask): number {
  return items === null ? Buffer.byteLength(upload?.csvHeader.join() ?? '') : Buffer.byteLength(items);
}

function undecidedOffsets({ decidedOffsets, itemCount }: StartedTask): number[] {
  if (decidedOffsets.length === 0) return [];
  const decided = new Set(decidedOffsets);
  return Array.from({ length: itemCount }, (_, offset) => offset).filter((offset) => !decided.has(offset));
}
