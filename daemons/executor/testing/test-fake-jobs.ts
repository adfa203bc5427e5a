// A small Jobs in memory, behind real gRPC: it leases tasks by credit, renews, records and fences, and can be made to fail.
import { findFreePort } from '@jobber/compose/free-port';
import {
  AckStatus,
  type AttemptOutcome,
  type AttemptProgress,
  type AttemptRef,
  JobsServiceDefinition,
  type JobsServiceImplementation,
  type JobTypeOffer,
  type LeasedTask,
  LeaseStatus,
  type StartTaskResponse,
} from '@jobber/proto/jobs/v1/jobs';
import { serveGrpc } from '@jobber/shared/grpc';
import type { Hint } from '@jobber/shared/hints';
import { createScope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';

export const SERVICE_SECRET = 'a-secret-for-tests-only-0123456789abcdef';
/** Of all jobs. */
export const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const CALLERS = Object.fromEntries(
  Object.values(JobsServiceDefinition.methods).map(({ name }) => [name, ['executor'] as const]),
);

export interface FakeTask {
  readonly task: LeasedTask;
  state: 'ready' | 'running' | 'done' | 'cancelled';
  attempt: number;
  executorId: string | undefined;
  outcomes: AttemptOutcome[];
}

export interface TaskToSubmit {
  readonly slug: string;
  readonly items?: readonly unknown[];
  readonly firstItem?: number;
  readonly offsets?: readonly number[];
  readonly upload?: { readonly bytes: Uint8Array; readonly format: string; readonly csvHeader?: string[] };
  readonly itemCount?: number;
  readonly timeoutMs?: number;
  readonly interruptions?: number;
}

export class FakeJobs {
  readonly tasks = new Map<number, FakeTask>();
  readonly offers = new Map<string, JobTypeOffer>();
  readonly uploads = new Map<number, Uint8Array>();
  readonly log: string[] = [];
  /** As Jobs gives them, unless a test is about heartbeats: a machine that stands still for a moment loses none. */
  leaseMs = 15_000;
  /** Credit as it was granted, message by message, with the stream's number. */
  readonly credits: { stream: number; credit: number }[] = [];
  readonly acknowledgeCalls: number[] = [];
  readonly startCalls: number[] = [];
  /** Of how many attempts each renewed the lease. */
  readonly heartbeatCalls: number[] = [];
  /** What heartbeats have told of it, in their order. */
  readonly progress: AttemptProgress[] = [];
  streams = 0;
  registrations = 0;
  /** Called before each method does its work; may throw or wait. */
  before: (method: string) => Promise<void> | void = () => {};
  /** Who has asked to be told of cancelled jobs. */
  readonly cancellationWatchers = new Set<(jobId: number) => void>();
  private nextId = 1;
  private wakers = new Set<() => void>();
  private enders = new Set<() => void>();
  private scope: ReturnType<typeof createScope> | undefined;
  port = 0;

  async listen(): Promise<number> {
    // It comes back there after `close`: until then nobody must get it.
    this.port ||= await findFreePort();
    const log = createLogger({ daemon: 'fake-jobs', level: 'silent' });
    this.scope = createScope(log);
    this.port = await serveGrpc({
      host: '127.0.0.1',
      port: this.port,
      serviceSecret: SERVICE_SECRET,
      tls: undefined,
      services: [
        { definition: JobsServiceDefinition, implementation: this.implementation(), callers: CALLERS },
      ],
      scope: this.scope,
      log,
    });
    return this.port;
  }

  async close(): Promise<void> {
    this.endStreams();
    await this.scope?.release();
  }

  endStreams(): void {
    for (const end of this.enders) end();
  }

  submit({
    slug,
    items = [{}],
    firstItem = 0,
    offsets = [],
    upload,
    itemCount,
    timeoutMs,
    interruptions = 0,
  }: TaskToSubmit): FakeTask {
    const jobId = this.nextId++;
    if (upload) this.uploads.set(jobId, upload.bytes);
    const fake: FakeTask = {
      task: {
        ref: { jobId, seq: 0, attempt: 1 },
        slug,
        firstItem,
        itemCount: itemCount ?? items.length,
        offsets: [...offsets],
        input: upload
          ? {
              $case: 'upload',
              value: {
                fileName: 'f',
                format: upload.format,
                byteFrom: 0,
                byteTo: upload.bytes.length,
                line: 1,
                csvHeader: upload.csvHeader ?? [],
              },
            }
          : { $case: 'itemsJson', value: JSON.stringify(items) },
        leaseMs: this.leaseMs,
        timeoutMs: timeoutMs ?? 30_000,
        ownerId: '00000000-0000-4000-8000-000000000001',
        traceparent: TRACE,
        interruptions,
      },
      state: 'ready',
      attempt: 0,
      executorId: undefined,
      outcomes: [],
    };
    this.tasks.set(jobId, fake);
    for (const wake of this.wakers) wake();
    return fake;
  }

  cancel(fake: FakeTask): void {
    fake.state = 'cancelled';
  }

  tellCancelled({ task }: FakeTask): void {
    for (const tell of this.cancellationWatchers) tell(task.ref?.jobId ?? 0);
  }

  /** As if the lease had expired and the task had been started elsewhere. */
  supersede(fake: FakeTask): void {
    fake.attempt += 1;
  }

  private find(ref: AttemptRef | undefined): { fake: FakeTask; current: boolean } | undefined {
    const fake = ref && this.tasks.get(ref.jobId);
    return fake && { fake, current: fake.state === 'running' && fake.attempt === ref.attempt };
  }

  private claim(executorId: string, slugs: readonly string[], limit: number): LeasedTask[] {
    const claimed: LeasedTask[] = [];
    for (const fake of this.tasks.values()) {
      if (claimed.length >= limit) break;
      if (fake.state !== 'ready' || !slugs.includes(fake.task.slug)) continue;
      fake.state = 'running';
      fake.attempt += 1;
      fake.executorId = executorId;
      const { jobId = 0, seq = 0 } = fake.task.ref ?? {};
      claimed.push({ ...fake.task, ref: { jobId, seq, attempt: fake.attempt } });
    }
    return claimed;
  }

  /** A hint that the task may be started, as the relay would publish it. */
  hintOf(fake: FakeTask): Hint {
    return { jobId: fake.task.ref?.jobId ?? 0, seq: 0, attempt: fake.attempt + 1 };
  }

  private start(executorId: string, ref: AttemptRef | undefined): StartTaskResponse {
    const fake = this.tasks.get(ref?.jobId ?? 0);
    if (!fake || !ref || fake.state !== 'ready' || fake.attempt + 1 !== ref.attempt) {
      return { result: { $case: 'superseded', value: {} } };
    }
    Object.assign(fake, { state: 'running', attempt: ref.attempt, executorId });
    return { result: { $case: 'task', value: { ...fake.task, ref } } };
  }

  record(outcome: AttemptOutcome): AckStatus {
    const found = this.find(outcome.ref);
    found?.fake.outcomes.push(outcome);
    if (!found?.current) return AckStatus.SUPERSEDED;
    found.fake.state = outcome.interrupted ? 'ready' : 'done';
    if (outcome.interrupted) for (const wake of this.wakers) wake();
    return AckStatus.RECORDED;
  }

  private implementation(): JobsServiceImplementation {
    const jobs = this;
    return {
      async registerJobTypes({ types }) {
        await jobs.before('registerJobTypes');
        jobs.registrations += 1;
        for (const type of types) jobs.offers.set(type.slug, type);
        return { slugs: types.map(({ slug }) => slug) };
      },
      async *receiveTasks(requests, context) {
        await jobs.before('receiveTasks');
        yield { tasks: [] };
        const stream = ++jobs.streams;
        let credit = 0;
        let ended = false;
        let subscription: { executorId: string; slugs: readonly string[] } | undefined;
        let wake = () => {};
        const end = () => {
          ended = true;
          wake();
        };
        jobs.enders.add(end);
        const wakeMe = () => wake();
        jobs.wakers.add(wakeMe);
        context.signal.addEventListener('abort', end);
        void (async () => {
          for await (const { request } of requests) {
            if (request?.$case === 'subscribe') subscription = request.value;
            else if (request?.$case === 'credit') {
              jobs.credits.push({ stream, credit: request.value });
              credit += request.value;
            }
            wake();
          }
        })().then(end, end);
        try {
          while (!ended) {
            const woken = new Promise<void>((resolve) => {
              wake = resolve;
            });
            const tasks = subscription ? jobs.claim(subscription.executorId, subscription.slugs, credit) : [];
            credit -= tasks.length;
            if (tasks.length > 0) yield { tasks };
            else await woken;
          }
        } finally {
          jobs.enders.delete(end);
          jobs.wakers.delete(wakeMe);
        }
      },
      startTask: ({ executorId, ref }) => Promise.resolve(jobs.start(executorId, ref)),
      async *startTasks({ executorId, refs }) {
        await jobs.before('startTasks');
        jobs.startCalls.push(refs.length);
        yield { results: refs.map((ref) => jobs.start(executorId, ref)) };
      },
      async *watchCancellations(_request, context) {
        const told: number[] = [];
        let wake = () => {};
        const tell = (jobId: number) => {
          told.push(jobId);
          wake();
        };
        let ended = false;
        const end = () => {
          ended = true;
          wake();
        };
        jobs.cancellationWatchers.add(tell);
        jobs.enders.add(end);
        context.signal.addEventListener('abort', end);
        try {
          yield { jobIds: [] };
          while (!ended) {
            const woken = new Promise<void>((resolve) => {
              wake = resolve;
            });
            if (told.length > 0) yield { jobIds: told.splice(0) };
            else await woken;
          }
        } finally {
          jobs.cancellationWatchers.delete(tell);
          jobs.enders.delete(end);
        }
      },
      async heartbeat({ refs, progress }) {
        await jobs.before('heartbeat');
        jobs.heartbeatCalls.push(refs.length);
        jobs.progress.push(...progress);
        return {
          statuses: refs.map((ref) => {
            const found = jobs.find(ref);
            if (found?.fake.state === 'cancelled') return LeaseStatus.CANCELLED;
            return found?.current ? LeaseStatus.RENEWED : LeaseStatus.LOST;
          }),
        };
      },
      async acknowledgeJob({ outcomes }) {
        await jobs.before('acknowledgeJob');
        jobs.acknowledgeCalls.push(outcomes.length);
        return { statuses: outcomes.map((outcome) => jobs.record(outcome)) };
      },
      async *reportOutcomes(requests) {
        await jobs.before('reportOutcomes');
        for await (const { outcomes } of requests) {
          await jobs.before('acknowledgeJob');
          jobs.acknowledgeCalls.push(outcomes.length);
          yield { statuses: outcomes.map((outcome) => jobs.record(outcome)) };
        }
      },
      async *readUpload({ ref, byteFrom, byteTo }) {
        await jobs.before('readUpload');
        const bytes = jobs.uploads.get(ref?.jobId ?? 0) ?? new Uint8Array();
        for (let at = byteFrom; at < byteTo; at += 7) {
          yield { chunk: Buffer.from(bytes.subarray(at, Math.min(at + 7, byteTo))) };
        }
      },
    };
  }
}
