import { randomInt } from 'node:crypto';
import type { DecidedItem } from '@jobber/db/jobs';
import { expect, test } from 'vitest';
import { claimTestTasks } from '../testing/claim-test-tasks.ts';
import {
  type NewJobAsked,
  newJob,
  OWNER,
  openTestDatabase,
  TEST_LEASES,
} from '../testing/open-test-database.ts';
import { WRONG_JOBS_IN_PROGRESS } from '../testing/read-jobs-in-progress.ts';
import { acceptJobs } from './accept-jobs.ts';
import { beginJobs } from './begin-jobs.ts';
import { buryTasks } from './bury-tasks.ts';
import { cancelJob } from './cancel-job.ts';
import type { ClaimOrder } from './choose-fairly.ts';
import { deferAttempts } from './defer-attempts.ts';
import { findHopelessTasks } from './find-hopeless-tasks.ts';
import { finishAttempts } from './finish-attempts.ts';
import { handBackAttempts } from './hand-back-attempts.ts';
import { recordSuperseded } from './record-superseded.ts';
import { redriveTasks } from './redrive-tasks.ts';
import { MAX_INTERRUPTIONS, releaseAttempts } from './release-attempts.ts';
import { renewLeases } from './renew-leases.ts';
import { rescueTasks } from './rescue-tasks.ts';
import { retryAttempts } from './retry-attempts.ts';
import { againAfterConflict, againAfterDeadlock } from './run-batch.ts';
import type { StartedTask } from './started-task.ts';
import { wakeTasks } from './wake-tasks.ts';

const { pool } = await openTestDatabase();

const CONNECTIONS = 8;
const DURATION_MS = 6_000;
const ITEMS_PER_TASK = 2;
const FAILURE = { reason: 'Broken', message: 'it is broken' };
const OWNERS = [OWNER, OWNER.replace(/1$/, '2'), OWNER.replace(/1$/, '3')];

/** A generator of numbers from 0 to 1 that its seed repeats (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Whatever a transition does wrong makes it fail: the end is final within a round, and counts only grow. */
const GUARD = `
  create function guard_job() returns trigger language plpgsql as $$
  begin
    if new.round = old.round then
      if old.ended_at is not null then raise exception 'job % changed after its end', old.id; end if;
      if new.completed < old.completed or new.failed < old.failed then raise exception 'job % shrank', old.id; end if;
    elsif old.status <> 'FAILED' or new.status <> 'IN_PROGRESS' or new.round <> old.round + 1
      or new.completed <> old.completed then raise exception 'job % began a wrong round', old.id;
    end if;
    return new;
  end $$;
  create trigger guard_job before update on job for each row execute function guard_job()`;

/** Each finds rows that must not be there. The last ones hold while nothing is under way. */
const MUST_BE_EMPTY: Readonly<Record<string, string>> = {
  'jobs whose counts are not those of their items': `
    select job.id from job left join lateral (
      select count(*) filter (where (d -> 1)::int = 1) as succeeded, count(*) filter (where (d -> 1)::int = 0) as lost
      from task cross join lateral jsonb_array_elements(task.decided) d where task.job_id = job.id
    ) items on true
    where completed <> items.succeeded or failed <> items.lost`,
  'items that were decided twice': `
    select job_id, seq from task cross join lateral jsonb_array_elements(decided) d
    group by job_id, seq, d -> 0 having count(*) > 1`,
  'tasks that are dead without a failed item, or the reverse': `
    select job_id, seq from task
    where (state = 'dead') <> (decided @? 'strict $[*] ? (@[1] == 0)' and jsonb_array_length(decided) = item_count)
      and state <> 'cancelled'`,
  'dead tasks without the time of their death, or the reverse': `
    select job_id, seq from task where (state = 'dead') <> (died_at is not null)`,
  'tasks that are under way in jobs that have ended': `
    select task.job_id, seq from task join job on job.id = task.job_id
    where job.ended_at is not null and state in ('waiting', 'ready', 'dispatched', 'running')`,
  'jobs in progress of which nothing is left': `
    select id from job where status = 'IN_PROGRESS' and not exists (
      select from task where job_id = id and state in ('waiting', 'ready', 'dispatched', 'running'))`,
  'jobs in progress that lists lack, or have too many': WRONG_JOBS_IN_PROGRESS,
  'attempts of which two outcomes are told': `
    select job_id, seq, attempt from history where event in ('retried', 'deferred', 'released', 'rescued', 'died')
    group by 1, 2, 3 having count(*) > 1`,
};

test('whatever happens at the same time, jobs and tasks agree, and no transition fails', async () => {
  const seed = randomInt(2 ** 31);
  const random = createRandom(seed);
  await pool.query(GUARD);
  const held: StartedTask[] = [];
  const jobIds: number[] = [];
  const counts: Record<string, number> = {};
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const some = <Item>(items: readonly Item[], max: number) =>
    items.length === 0 ? [] : Array.from({ length: 1 + Math.floor(random() * max) }, () => pick(items));
  const chance = (probability: number) => random() < probability;

  function take(max: number): StartedTask[] {
    // Some stay, so that their outcomes come twice or late.
    return [...new Set(some(held, max))].filter((task) => {
      if (chance(0.8)) held.splice(held.indexOf(task), 1);
      return true;
    });
  }

  function decide(task: StartedTask, all: boolean): DecidedItem[] {
    const open = Array.from({ length: task.itemCount }, (_, offset) => offset).filter(
      (offset) => !task.decidedOffsets.includes(offset),
    );
    const decided = all ? open : open.filter(() => chance(0.3)).slice(1);
    return decided.map((offset) => (chance(0.2) ? [offset, 0, FAILURE] : [offset, 1, null]));
  }

  const unfinished = (task: StartedTask) => ({
    ...task,
    decided: decide(task, false),
    counters: null,
    error: FAILURE,
  });

  const claim = async (leaseMs: number, limit: number) => {
    const order: ClaimOrder = chance(0.5) ? 'oldest' : 'widest';
    const maxRunningPerOwner = chance(0.2) ? 20 : null;
    return (await claimTestTasks(pool, { limit, order, leaseMs, maxRunningPerOwner })).tasks;
  };

  const finish = (tasks: readonly StartedTask[]) =>
    againAfterDeadlock(() =>
      finishAttempts(
        pool,
        tasks.map((task) => ({ ...task, decided: decide(task, true), counters: null })),
      ),
    );

  async function redrive(): Promise<void> {
    const { rows } = await pool.query(
      `select job_id, seq from task where state = 'dead' order by random() limit 10`,
    );
    const tasks = rows.map((row) => ({ jobId: Number(row.job_id), seq: row.seq }));
    await againAfterConflict(() => redriveTasks(pool, tasks, OWNER));
  }

  async function accept(): Promise<void> {
    const asked: NewJobAsked[] = Array.from({ length: 1 + Math.floor(random() * 4) }, () => ({
      tasks: 1 + Math.floor(random() * 5),
      itemsPerTask: ITEMS_PER_TASK,
      ownerId: pick(OWNERS),
      ...(chance(0.5) && { idempotencyKey: `key ${Math.floor(random() * 500)}` }),
      ...(chance(0.4) && {
        options: chance(0.5) ? { uniqueFor: `key ${Math.floor(random() * 5)}` } : { delayMs: random() * 500 },
      }),
    }));
    const accepted = await againAfterDeadlock(() => acceptJobs(pool, asked.map(newJob), TEST_LEASES));
    jobIds.push(...accepted.flatMap((one) => (one.outcome === 'accepted' ? [one.id] : [])));
  }

  const transitions: Readonly<Record<string, () => Promise<unknown>>> = {
    accept,
    claim: async () => held.push(...(await claim(chance(0.1) ? 1 : 60_000, 10))),
    finish: () => finish(take(10)),
    retry: () => againAfterDeadlock(() => retryAttempts(pool, take(10).map(unfinished))),
    release: () => againAfterDeadlock(() => releaseAttempts(pool, take(5).map(unfinished))),
    handBack: () => againAfterDeadlock(() => handBackAttempts(pool, take(5).map(unfinished))),
    defer: () => againAfterDeadlock(() => deferAttempts(pool, take(5).map(unfinished))),
    renew: () => renewLeases(pool, some(held, 20), 60_000),
    rescue: () => rescueTasks(pool, MAX_INTERRUPTIONS),
    bury: async () => {
      const hopeless = await findHopelessTasks(pool, chance(0.2) ? 1 : MAX_INTERRUPTIONS);
      await buryTasks(
        pool,
        hopeless.map((ref) => ({ ...ref, ...FAILURE })),
      );
    },
    cancel: () => cancelJob(pool, pick(jobIds) ?? 1, OWNER),
    redrive,
    begin: () => beginJobs(pool),
    wake: () => wakeTasks(pool),
    superseded: () =>
      recordSuperseded(
        pool,
        some(held, 5).map((task) => ({ ...task, executorId: 'executor-1' })),
      ),
  };
  const names = ['accept', 'claim', 'claim', 'finish', 'finish', ...Object.keys(transitions)];

  const endAt = performance.now() + DURATION_MS;
  /** Each transition has happened: a machine that is slow takes longer for that. */
  const allHappened = () => Object.keys(transitions).every((name) => counts[name]);
  async function work(): Promise<void> {
    while (performance.now() < endAt || !allHappened()) {
      const name = pick(names);
      try {
        await transitions[name]?.();
      } catch (error) {
        throw new Error(`${name} failed (seed ${seed})`, { cause: error });
      }
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }

  const ends = await Promise.allSettled(Array.from({ length: CONNECTIONS }, work));
  expect(ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))).toEqual([]);

  // Leases and waits run out; then nothing must be left over.
  await pool.query(`update task set lease_until = now() - interval '1 s' where state = 'running'`);
  await pool.query(`update job set run_at = now() where status = 'SCHEDULED'`);
  for (let left = true; left; ) {
    await pool.query(`update task set available_at = now() where state = 'waiting'`);
    await beginJobs(pool);
    await wakeTasks(pool);
    await rescueTasks(pool, 1_000_000);
    await finish(await claim(60_000, 200));
    const { rows } = await pool.query('select exists (select from job where ended_at is null) as left');
    left = rows[0].left;
  }
  for (const [what, query] of Object.entries(MUST_BE_EMPTY)) {
    const { rows } = await pool.query(query);
    expect(rows.slice(0, 5), `${what} (seed ${seed})`).toEqual([]);
  }
});
