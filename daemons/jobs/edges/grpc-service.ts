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
import { AppError, type ClassifyError, isAppError, refuse } from '@jobber/shared/errors';
import { parseJsonExact } from '@jobber/shared/json';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { Subscription, TaskFeed } from '../dispatch/task-feed.ts';
import type { JobsMetrics } from '../jobs-metrics.ts';
import type { AttemptRef } from '../transitions/attempt-ref.ts';
import { readRunningUpload } from '../transitions/read-running-upload.ts';
import { renewLeases } from '../transitions/renew-leases.ts';
import { startTask } from '../transitions/start-task.ts';
import type { StartedTask } from '../transitions/started-task.ts';
import type { ObjectStorage } from '../uploads/object-storage.ts';
import type { AttemptOutcome, ItemFailure, RecordOutcome } from '../use-cases/record-outcomes.ts';
import { type OfferedType, registerJobTypes } from '../use-cases/register-job-types.ts';
import { batchBySize } from './batch-by-size.ts';

export interface JobsGrpcParts {
  readonly pool: Pool;
  readonly catalog: JobTypeCatalog;
  readonly feed: TaskFeed;
  readonly storage: ObjectStorage;
  readonly recordOutcome: RecordOutcome;
  readonly leaseMs: number;
  readonly metrics: Pick<JobsMetrics, 'requestSeconds'>;
  readonly classify: ClassifyError;
}

const MAX_REFS = 10_000;
const MAX_CREDIT = 10_000;
const MAX_TYPES = 1_000;
/** Input of the tasks that travel in one message; the message limit is 8 MiB. */
const MAX_INPUT_BYTES = 4 * 1024 * 1024;
/** Of an item that failed; longer ones are cut. */
const MAX_REASON_LENGTH = 100;
const MAX_MESSAGE_LENGTH = 2_000;
/** Schemas nest deeper than the data that they describe. */
const MAX_SCHEMA_DEPTH = 100;

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
  const { pool, catalog, feed, storage, leaseMs, metrics, classify } = parts;

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
    registerJobTypes: ({ types }) =>
      measured('RegisterJobTypes', async () => {
        if (types.length > MAX_TYPES) refuse('TOO_LARGE', `At most ${MAX_TYPES} job types in one request`);
        return { slugs: await registerJobTypes(parts, types.map(toOfferedType)) };
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
          yield { tasks: await Promise.all(batch.map(toLeasedTask)) };
        }
      }
    },

    startTask: ({ executorId, ref }) =>
      measured('StartTask', async () => {
        const start = { ...toRef(ref), executorId: checkExecutorId(executorId), leaseMs };
        const task = await startTask(pool, start);
        return {
          result: task
            ? { $case: 'task', value: await toLeasedTask(task) }
            : { $case: 'superseded', value: {} },
        };
      }),

    heartbeat: ({ refs }) =>
      measured('Heartbeat', async () => {
        if (refs.length > MAX_REFS) refuse('TOO_LARGE', `At most ${MAX_REFS} attempts in one heartbeat`);
        const statuses = await renewLeases(pool, refs.map(toRef), leaseMs);
        return { statuses: statuses.map((status) => LEASE_STATUS[status]) };
      }),

    acknowledgeJob: ({ outcomes }) =>
      measured('AcknowledgeJob', async () => {
        if (outcomes.length > MAX_REFS) refuse('TOO_LARGE', `At most ${MAX_REFS} outcomes in one request`);
        const checked = outcomes.map(toOutcome);
        const statuses = await Promise.all(checked.map(parts.recordOutcome));
        return { statuses: statuses.map((status) => ACK_STATUS[status]) };
      }),

    async *readUpload({ ref, byteFrom, byteTo }) {
      const range = { from: byteFrom, to: byteTo };
      const name = await readRunningUpload(pool, toRef(ref), range);
      if (name === undefined)
        throw new AppError('NOT_FOUND', 'The attempt is not running, or has no such bytes');
      try {
        for await (const chunk of storage.read(name, range)) yield { chunk };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
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

function checkExecutorId(executorId: string): string {
  if (/^[\w.:-]{1,200}$/.test(executorId)) return executorId;
  return refuse('INVALID_INPUT', 'executor_id must have 1 to 200 letters, digits, dots, colons or hyphens');
}

function toRef(ref: AttemptRefMessage | undefined): AttemptRef {
  if (ref && Number.isSafeInteger(ref.jobId) && ref.jobId > 0 && ref.seq >= 0 && ref.attempt > 0) return ref;
  return refuse('INVALID_INPUT', 'ref must name a job, a task and an attempt');
}

function toOutcome(message: AttemptOutcomeMessage): AttemptOutcome {
  const { jobId, seq, attempt } = toRef(message.ref);
  const decided: DecidedItem[] = [];
  const retry: [number, ItemFailure][] = [];
  const offsets = new Set<number>();
  for (const { offset, status, resultJson, error } of message.items) {
    if (offset < 0 || offsets.has(offset))
      refuse('INVALID_INPUT', `Item offset ${offset} is negative or named twice`);
    offsets.add(offset);
    if (status === ItemStatus.SUCCEEDED) decided.push(toSuccess(offset, resultJson));
    else if (status === ItemStatus.FAILED) decided.push([offset, 0, toFailure(error)]);
    else if (status === ItemStatus.RETRY) retry.push([offset, toFailure(error)]);
    else refuse('INVALID_INPUT', `Item offset ${offset} has no status`);
  }
  const { interrupted, countersJson } = message;
  return { jobId, seq, attempt, decided, retry, interrupted, counters: toCounters(countersJson) };
}

/** A result that can't be kept as it is fails its item, not the other outcomes that travel with it. */
function toSuccess(offset: number, resultJson: string): DecidedItem {
  if (resultJson === '') return [offset, 1, null];
  const parsed = parseJsonExact(resultJson);
  if (parsed.ok) return [offset, 1, parsed.value];
  const message = storable(`The result can't be kept: ${parsed.problem.message}`, MAX_MESSAGE_LENGTH);
  return [offset, 0, { reason: 'InvalidResult', message }];
}

function toFailure(error: { reason: string; message: string } | undefined): ItemFailure {
  return {
    reason: storable(error?.reason ?? '', MAX_REASON_LENGTH) || 'Error',
    message: storable(error?.message ?? '', MAX_MESSAGE_LENGTH) || 'The handler gave no reason',
  };
}

/** PostgreSQL stores neither U+0000 nor half a surrogate pair. */
function storable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replaceAll('\0', '\u{fffd}').toWellFormed();
}

function toCounters(text: string): Record<string, number> | null {
  if (text === '') return null;
  const counters = parseJson(text, 'counters');
  const sound =
    typeof counters === 'object' &&
    counters !== null &&
    !Array.isArray(counters) &&
    Object.values(counters).every(Number.isSafeInteger);
  return sound
    ? (counters as Record<string, number>)
    : refuse('INVALID_INPUT', 'counters must be a JSON object of whole numbers');
}

function parseJson(text: string, what: string): unknown {
  const parsed = parseJsonExact(text, { maxDepth: MAX_SCHEMA_DEPTH });
  if (parsed.ok) return parsed.value;
  return refuse('INVALID_INPUT', `${what} must be JSON: ${parsed.problem.message}`);
}

function toOfferedType(offer: JobTypeOffer): OfferedType {
  const { name, slug, version, description, itemsPerTask, retry, limits } = offer;
  const inputSchema = parseJson(offer.inputSchemaJson, `The input schema of ${storable(name, 80)}`);
  if (typeof inputSchema !== 'object' || inputSchema === null || Array.isArray(inputSchema))
    refuse('INVALID_INPUT', `The input schema of ${storable(name, 80)} must be an object`);
  return {
    slug,
    name,
    version,
    description: storable(description, MAX_MESSAGE_LENGTH),
    inputSchema: inputSchema as Record<string, unknown>,
    defaultItem:
      offer.defaultItemJson === ''
        ? null
        : parseJson(offer.defaultItemJson, `The default item of ${storable(name, 80)}`),
    itemsPerTask,
    maxAttempts: retry?.maxAttempts ?? 1,
    backoffMs: retry?.backoffMs ?? 0,
    maxBackoffMs: retry?.maxBackoffMs ?? 0,
    timeoutMs: limits?.timeoutMs ?? 0,
    maxItems: limits?.maxItems ?? 0,
  };
}
