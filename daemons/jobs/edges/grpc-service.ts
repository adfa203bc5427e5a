import type { DecidedItem } from '@jobber/db/jobs';
import {
  AckStatus,
  type AttemptOutcome as AttemptOutcomeMessage,
  type AttemptRef as AttemptRefMessage,
  ItemStatus,
  type JobsServiceImplementation,
  type JobTypeOffer,
  type LeasedTask,
  LeaseStatus,
  type ReceiveTasksRequest,
} from '@jobber/proto/jobs/v1/jobs';
import { AppError, refuse } from '@jobber/shared/errors';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { Subscription, TaskFeed } from '../dispatch/task-feed.ts';
import type { AttemptRef } from '../transitions/attempt-ref.ts';
import { readRunningUpload } from '../transitions/read-running-upload.ts';
import { renewLeases } from '../transitions/renew-leases.ts';
import { startTask } from '../transitions/start-task.ts';
import type { StartedTask } from '../transitions/started-task.ts';
import type { ObjectStorage } from '../uploads/object-storage.ts';
import type { AttemptOutcome, RecordOutcome } from '../use-cases/record-outcomes.ts';
import { type OfferedType, registerJobTypes } from '../use-cases/register-job-types.ts';

export interface JobsGrpcParts {
  readonly orm: MikroORM;
  readonly pool: Pool;
  readonly catalog: JobTypeCatalog;
  readonly feed: TaskFeed;
  readonly storage: ObjectStorage;
  readonly recordOutcome: RecordOutcome;
  readonly leaseMs: number;
}

const MAX_REFS = 10_000;
const MAX_CREDIT = 10_000;

/** All methods of JobsService are for executors. */
export const JOBS_SERVICE_CALLERS = {
  RegisterJobTypes: ['executor'],
  ReceiveTasks: ['executor'],
  StartTask: ['executor'],
  Heartbeat: ['executor'],
  AcknowledgeJob: ['executor'],
  ReadUpload: ['executor'],
} as const;

export function jobsGrpcService(parts: JobsGrpcParts): JobsServiceImplementation {
  const { pool, catalog, feed, storage, leaseMs } = parts;

  async function toLeasedTask(task: StartedTask): Promise<LeasedTask> {
    const entry = await catalog.bySlug(task.type);
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
      timeoutMs: entry?.type.timeoutMs ?? leaseMs,
      ownerId: task.ownerId,
      traceparent: '',
    };
  }

  return {
    async registerJobTypes({ types }) {
      return { slugs: await registerJobTypes(parts, types.map(toOfferedType)) };
    },

    async *receiveTasks(requests, context) {
      const iterator = requests[Symbol.asyncIterator]();
      const first = await iterator.next();
      if (first.done || first.value.request?.$case !== 'subscribe') {
        throw new AppError('INVALID_INPUT', 'The first message must subscribe');
      }
      const { executorId, slugs } = first.value.request.value;
      // An executor that stops ends its side of the stream: nothing more must be claimed for it.
      const unsubscribed = new AbortController();
      const subscription = feed.subscribe({
        executorId: checkExecutorId(executorId),
        types: slugs,
        signal: AbortSignal.any([context.signal, unsubscribed.signal]),
      });
      // The executor learns that its stream stands before there is a task for it (nice-grpc sends no empty header).
      yield { tasks: [] };
      void grantCredit(iterator, subscription).finally(() => unsubscribed.abort());
      for await (const tasks of subscription.tasks()) {
        yield { tasks: await Promise.all(tasks.map(toLeasedTask)) };
      }
    },

    async startTask({ executorId, ref }) {
      const task = await startTask(pool, { ...toRef(ref), executorId: checkExecutorId(executorId), leaseMs });
      return {
        result: task
          ? { $case: 'task', value: await toLeasedTask(task) }
          : { $case: 'superseded', value: {} },
      };
    },

    async heartbeat({ refs }) {
      if (refs.length > MAX_REFS) refuse('TOO_LARGE', `At most ${MAX_REFS} attempts in one heartbeat`);
      const statuses = await renewLeases(pool, refs.map(toRef), leaseMs);
      return { statuses: statuses.map((status) => LEASE_STATUS[status]) };
    },

    async acknowledgeJob({ outcomes }) {
      if (outcomes.length > MAX_REFS) refuse('TOO_LARGE', `At most ${MAX_REFS} outcomes in one request`);
      const checked = outcomes.map(toOutcome);
      const statuses = await Promise.all(checked.map(parts.recordOutcome));
      return { statuses: statuses.map((status) => ACK_STATUS[status]) };
    },

    async *readUpload({ ref, byteFrom, byteTo }) {
      const name = await readRunningUpload(pool, toRef(ref), { from: byteFrom, to: byteTo });
      if (name === undefined)
        throw new AppError('NOT_FOUND', 'The attempt is not running, or has no such bytes');
      for await (const chunk of storage.read(name, { from: byteFrom, to: byteTo })) yield { chunk };
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
  } catch {
    // The stream has ended; so has the subscription, by its signal.
  }
}

function undecidedOffsets({ decidedOffsets, itemCount }: StartedTask): number[] {
  if (decidedOffsets.length === 0) return [];
  const decided = new Set(decidedOffsets);
  return Array.from({ length: itemCount }, (_, offset) => offset).filter((offset) => !decided.has(offset));
}

function checkExecutorId(executorId: string): string {
  if (/^[\w.:-]{1,200}$/.test(executorId)) return executorId;
  return refuse('INVALID_INPUT', 'executor_id must have 1 to 200 letters, digits, dots, colons or hyphens');
}

function toRef(ref: AttemptRefMessage | undefined): AttemptRef {
  if (ref && Number.isSafeInteger(ref.jobId) && ref.jobId > 0 && ref.seq >= 0 && ref.attempt > 0) return ref;
  return refuse('INVALID_INPUT', 'ref must name a job, a task and an attempt');
}

function toOutcome(message: AttemptOutcomeMessage): AttemptOutcome {
  const ref = toRef(message.ref);
  const decided: DecidedItem[] = [];
  const retry: [number, { reason: string; message: string }][] = [];
  const offsets = new Set<number>();
  for (const { offset, status, resultJson, error } of message.items) {
    if (offset < 0 || offsets.has(offset))
      refuse('INVALID_INPUT', `Item offset ${offset} is negative or named twice`);
    offsets.add(offset);
    const why = { reason: error?.reason || 'Error', message: error?.message || 'The handler gave no reason' };
    if (status === ItemStatus.SUCCEEDED) decided.push([offset, 1, parseJson(resultJson)]);
    else if (status === ItemStatus.FAILED) decided.push([offset, 0, why]);
    else if (status === ItemStatus.RETRY) retry.push([offset, why]);
    else refuse('INVALID_INPUT', `Item offset ${offset} has no status`);
  }
  const { interrupted, countersJson } = message;
  return { ...ref, decided, retry, interrupted, counters: toCounters(countersJson) };
}

function toCounters(text: string): Record<string, number> | null {
  const counters = parseJson(text);
  if (counters === null) return null;
  const sound =
    typeof counters === 'object' &&
    !Array.isArray(counters) &&
    Object.values(counters).every(Number.isSafeInteger);
  return sound
    ? (counters as Record<string, number>)
    : refuse('INVALID_INPUT', 'counters must be whole numbers');
}

function parseJson(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return refuse('INVALID_INPUT', 'A result or counter is not valid JSON');
  }
}

function toOfferedType(offer: JobTypeOffer): OfferedType {
  const { name, slug, version, description, itemsPerTask, retry, limits } = offer;
  const inputSchema = parseJson(offer.inputSchemaJson);
  if (typeof inputSchema !== 'object' || inputSchema === null)
    refuse('INVALID_INPUT', `${slug} has no input schema`);
  return {
    slug,
    name,
    version,
    description,
    inputSchema: inputSchema as Record<string, unknown>,
    defaultItem: parseJson(offer.defaultItemJson),
    itemsPerTask,
    maxAttempts: retry?.maxAttempts ?? 1,
    backoffMs: retry?.backoffMs ?? 0,
    maxBackoffMs: retry?.maxBackoffMs ?? 0,
    timeoutMs: limits?.timeoutMs ?? 0,
    maxItems: limits?.maxItems ?? 0,
  };
}
