import type { DecidedItem, JobStatus, TaskState } from '@jobber/db/jobs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimTestTasks } from '../testing/claim-test-tasks.ts';
import { acceptJob, OWNER, openTestDatabase } from '../testing/open-test-database.ts';
import { readJobsInProgress } from '../testing/read-jobs-in-progress.ts';
import type { AttemptRef } from './attempt-ref.ts';
import { beginJobs } from './begin-jobs.ts';
import { buryTasks } from './bury-tasks.ts';
import { cancelJob } from './cancel-job.ts';
import { FIRST_OWNER } from './choose-fairly.ts';
import { deferAttempts } from './defer-attempts.ts';
import { dispatchTasks } from './dispatch-tasks.ts';
import { findHopelessTasks } from './find-hopeless-tasks.ts';
import { finishAttempts } from './finish-attempts.ts';
import { handBackAttempts } from './hand-back-attempts.ts';
import { recallTasks } from './recall-tasks.ts';
import { redriveTasks } from './redrive-tasks.ts';
import { releaseAttempts } from './release-attempts.ts';
import { renewLeases } from './renew-leases.ts';
import { rescueTasks } from './rescue-tasks.ts';
import { retryAttempts } from './retry-attempts.ts';
import { startTasks } from './start-tasks.ts';
import { JOB_CHANGES, statesAfter, TASK_CHANGES } from './state-machine.ts';
import { wakeTasks } from './wake-tasks.ts';

const database = await openTestDatabase();
const { pool } = database;

/** Low, so that short sequences reach it. The job type allows three attempts. */
const MAX_INTERRUPTIONS = 3;
const TASKS = 2;
const ITEMS = 2;
const LEASE_MS = 600_000;
const BROKEN = { reason: 'Broken', message: 'it is broken' };

interface Row {
  readonly state: TaskState;
  readonly attempt: number;
  readonly failures: number;
  readonly interruptions: number;
  readonly deferrals: number;
  readonly decided: DecidedItem[];
}

interface Stored {
  readonly job: {
    readonly status: JobStatus;
    readonly completed: number;
    readonly failed: number;
    readonly round: number;
    readonly ended: boolean;
  };
  readonly tasks: readonly Row[];
}

async function read(id: number): Promise<Stored> {
  const [job, tasks] = await Promise.all([
    pool.query(
      'select status, completed, failed, round, ended_at is not null as ended from job where id = $1',
      [id],
    ),
    pool.query(
      'select state, attempt, failures, interruptions, deferrals, decided from task where job_id = $1 order by seq',
      [id],
    ),
  ]);
  return { job: job.rows[0], tasks: tasks.rows };
}

/** An event: what happens to which task, and for which attempt: 0 is the last one, 1 the one before, -1 one to come. */
interface Event {
  readonly transition: string;
  readonly seq: number;
  readonly stale: number;
  /** Which of the two items succeed (1), fail (0) or stay undecided. */
  readonly items: readonly (0 | 1 | null)[];
}

const event: fc.Arbitrary<Event> = fc.record({
  transition: fc.oneof(
    { weight: 4, arbitrary: fc.constant('claim-tasks') },
    { weight: 4, arbitrary: fc.constantFrom('wake-tasks', 'dispatch-tasks', 'start-tasks') },
    { weight: 3, arbitrary: fc.constantFrom('finish-attempts', 'retry-attempts', 'rescue-tasks') },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        'defer-attempts',
        'release-attempts',
        'hand-back-attempts',
        'redrive-tasks',
        'recall-tasks',
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom('bury-tasks', 'renew-leases', 'begin-jobs', 'cancel-job') },
  ),
  seq: fc.nat(TASKS - 1),
  stale: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, -1) }),
  items: fc.tuple(fc.constantFrom(0, 1, 1, null), fc.constantFrom(0, 1, 1, null)),
});

async function apply(id: number, { transition, seq, items }: Event, attempt: number): Promise<void> {
  const ref: AttemptRef = { jobId: id, seq, attempt };
  const decided = items.flatMap((succeeded, offset): DecidedItem[] => {
    if (succeeded === null) return [];
    return [succeeded === 1 ? [offset, 1, null] : [offset, 0, BROKEN]];
  });
  const unfinished = { ...ref, decided, counters: null, error: BROKEN };
  switch (transition) {
    case 'claim-tasks':
      await claimTestTasks(pool, { limit: 1, order: seq === 0 ? 'oldest' : 'widest', leaseMs: LEASE_MS });
      return;
    case 'wake-tasks':
      await pool.query(`update task set available_at = now() where job_id = $1 and state = 'waiting'`, [id]);
      await wakeTasks(pool);
      return;
    case 'begin-jobs':
      await pool.query(`update job set run_at = now() where id = $1`, [id]);
      await beginJobs(pool);
      return;
    case 'dispatch-tasks':
      await dispatchTasks(pool, {
        types: ['echo'],
        limit: 1,
        order: seq === 0 ? 'oldest' : 'widest',
        hintMs: LEASE_MS,
        afterOwner: FIRST_OWNER,
        maxRunningPerOwner: null,
      });
      return;
    case 'recall-tasks':
      await recallTasks(pool, [{ ...ref, attempt: attempt + 1 }]);
      return;
    case 'start-tasks':
      await startTasks(pool, [{ ...ref, attempt: attempt + 1, executorId: 'executor-2' }], LEASE_MS);
      return;
    case 'renew-leases':
      await renewLeases(pool, [ref], LEASE_MS);
      return;
    case 'finish-attempts':
      await finishAttempts(pool, [unfinished]);
      return;
    case 'retry-attempts':
      await retryAttempts(pool, [unfinished]);
      return;
    case 'defer-attempts':
      await deferAttempts(pool, [unfinished]);
      return;
    case 'release-attempts':
      await releaseAttempts(pool, [unfinished]);
      return;
    case 'hand-back-attempts':
      await handBackAttempts(pool, [unfinished]);
      return;
    case 'rescue-tasks':
    case 'bury-tasks':
      await pool.query(
        `update task set lease_until = now() - interval '1 s' where job_id = $1 and seq = $2 and lease_until is not null`,
        [id, seq],
      );
      if (transition === 'rescue-tasks') await rescueTasks(pool, MAX_INTERRUPTIONS);
      else {
        const hopeless = await findHopelessTasks(pool, MAX_INTERRUPTIONS);
        await buryTasks(
          pool,
          hopeless.map((lost) => ({ ...lost, ...BROKEN })),
        );
      }
      return;
    case 'redrive-tasks':
      await redriveTasks(pool, [{ jobId: id, seq }], OWNER);
      return;
    default:
      await cancelJob(pool, id, OWNER);
  }
}

/** What the outcome decides of items that were undecided; undefined when it does not fit the task. */
function newlyDecided({ decided }: Row, { items }: Event): number | undefined {
  const earlier = new Set(decided.map(([offset]) => offset));
  const offsets = items.flatMap((succeeded, offset) => (succeeded === null ? [] : [offset]));
  return offsets.some((offset) => earlier.has(offset)) ? undefined : offsets.length;
}

/** Whether the event must change the task that it names, by the rules of the engine. */
function mustChange(before: Stored, happened: Event): boolean {
  const row = before.tasks[happened.seq] as Row;
  const current = row.state === 'running' && before.job.status === 'IN_PROGRESS' && happened.stale === 0;
  const decided = newlyDecided(row, happened);
  const undecided = ITEMS - row.decided.length;
  switch (happened.transition) {
    case 'finish-attempts':
      return current && decided === undecided;
    case 'retry-attempts':
      return current && decided !== undefined && decided < undecided && row.failures + 1 < 3;
    case 'defer-attempts':
    case 'hand-back-attempts':
      return current && decided !== undefined && decided < undecided;
    case 'release-attempts':
      return current && decided !== undefined && decided < undecided && row.interruptions + 1 < 10;
    case 'rescue-tasks':
      return (
        row.state === 'dispatched' || (row.state === 'running' && row.interruptions + 1 < MAX_INTERRUPTIONS)
      );
    case 'bury-tasks':
      // Whatever attempt the event names: that of the task is buried.
      return row.state === 'running' && row.interruptions + 1 >= MAX_INTERRUPTIONS;
    case 'redrive-tasks':
      return row.state === 'dead' && before.job.status === 'FAILED';
    case 'start-tasks':
    case 'recall-tasks':
      return row.state === 'dispatched' && happened.stale === 0;
    case 'wake-tasks':
      return row.state === 'waiting' && before.job.status === 'IN_PROGRESS';
    case 'cancel-job':
      return !before.job.ended && ['waiting', 'ready', 'dispatched', 'running'].includes(row.state);
    default:
      return false;
  }
}

function checkStep(before: Stored, after: Stored, happened: Event): void {
  const { transition, seq } = happened;
  for (const [index, row] of after.tasks.entries()) {
    const was = before.tasks[index] as Row;
    if (row.state === was.state) continue;
    expect(statesAfter(TASK_CHANGES, transition, was.state), `${transition} of ${was.state}`).toContain(
      row.state,
    );
    expect(row.attempt - was.attempt).toBe(row.state === 'running' ? 1 : 0);
  }
  if (after.job.status !== before.job.status) {
    expect(statesAfter(JOB_CHANGES, transition, before.job.status)).toContain(after.job.status);
  }
  const changed = after.tasks[seq]?.state !== before.tasks[seq]?.state;
  if (!['claim-tasks', 'dispatch-tasks', 'begin-jobs', 'renew-leases'].includes(transition)) {
    expect(changed, `${transition} changes the task`).toBe(mustChange(before, happened));
  }
  checkInvariants(before, after);
}

function checkInvariants(before: Stored, { job, tasks }: Stored): void {
  const decided = tasks.flatMap((row) => row.decided);
  expect(job.completed).toBe(decided.filter(([, succeeded]) => succeeded === 1).length);
  expect(job.failed).toBe(decided.filter(([, succeeded]) => succeeded === 0).length);
  for (const row of tasks) {
    const offsets = row.decided.map(([offset]) => offset);
    expect(new Set(offsets).size).toBe(offsets.length);
    const isDecided = row.decided.length === ITEMS;
    if (row.state === 'succeeded' || row.state === 'dead') expect(isDecided).toBe(true);
    if (['ready', 'waiting', 'dispatched'].includes(row.state)) expect(isDecided).toBe(false);
  }
  expect(job.ended).toBe(['COMPLETED', 'FAILED', 'CANCELLED'].includes(job.status));
  expect(job.round).toBeGreaterThanOrEqual(before.job.round);
  if (job.round === before.job.round) {
    expect(job.completed + job.failed).toBeGreaterThanOrEqual(before.job.completed + before.job.failed);
    // Terminal is final.
    if (before.job.ended) expect(job).toEqual(before.job);
  } else expect(before.job.status).toBe('FAILED');
}

test('whatever happens in whatever order, the states change as the table says, and the counts stay right', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(event, { minLength: 5, maxLength: 40 }),
      async (scheduled, events) => {
        await pool.query('truncate job, job_tag, task, history');
        const options = scheduled ? { options: { delayMs: 600_000 } } : {};
        const id = await acceptJob(database, { tasks: TASKS, itemsPerTask: ITEMS, ...options });
        let before = await read(id);
        for (const happened of events) {
          const attempt = (before.tasks[happened.seq]?.attempt ?? 0) - happened.stale;
          await apply(id, happened, attempt);
          const after = await read(id);
          checkStep(before, after, happened);
          expect((await readJobsInProgress(pool)).wrong, happened.transition).toEqual([]);
          before = after;
        }
      },
    ),
    { numRuns: 60 },
  );
});
