import { JOB_STATUSES, JobType } from '@jobber/db/jobs';
import { type Identity, permissionsOf } from '@jobber/shared/auth-guard';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createJobTypeCatalog } from '../catalog/job-type-catalog.ts';
import { ECHO, newJob, OWNER, openTestDatabase, TEST_LEASES } from '../testing/open-test-database.ts';
import { acceptJobs } from '../transitions/accept-jobs.ts';
import { type JobFilter, listJobs } from './list-jobs.ts';

const OTHER = '00000000-0000-4000-8000-000000000002';
const { orm, pool } = await openTestDatabase();
/** More than have pages of their own. */
const IDLE_TYPES = Array.from({ length: 20 }, (_, n) => `idle-${n}`);
for (const slug of ['other', ...IDLE_TYPES]) {
  await orm.em.fork().insert(JobType, { ...ECHO, slug, name: slug });
}
const catalog = createJobTypeCatalog(orm);
const operator: Identity = {
  userId: OWNER,
  email: 'operator@example.com',
  roles: ['operator'],
  permissions: permissionsOf(['operator']),
  sessionId: 'session',
};
const TAGS = [[], ['blue'], ['green', 'blue'], ['green']];

/** Jobs of two owners and two types, of every status and with some tags, in an order of their own. */
async function storeJobs(count: number) {
  const jobs = Array.from({ length: count }, (_, n) => ({
    ...newJob({
      tasks: 1,
      itemsPerTask: 1,
      ownerId: n % 3 === 0 ? OTHER : OWNER,
      options: { tags: TAGS[n % TAGS.length] ?? [] },
    }),
    type: n % 5 === 0 ? 'other' : 'echo',
  }));
  await acceptJobs(pool, jobs, TEST_LEASES);
  await pool.query(`
    with chosen as (select id, (array['${JOB_STATUSES.join("','")}'])[1 + id * 7 % 6] as status from job)
    update job set status = chosen.status, run_at = now(),
      completed = (chosen.status = 'COMPLETED')::int, failed = (chosen.status = 'FAILED')::int,
      ended_at = case when chosen.status in ('COMPLETED', 'FAILED', 'CANCELLED') then now() end
    from chosen where chosen.id = job.id`);
  // The order in which jobs began need not be that of their ids.
  await pool.query(
    `update job set started_at = '2026-01-01Z'::timestamptz + id * 17 % 50 * interval '1 min'`,
  );
  await pool.query('update job_tag set started_at = job.started_at from job where job.id = job_id');
  return await listJobs({ pool, catalog }, operator, { filter: { allOwners: true }, limit: 200 });
}

test('a list has the jobs that fit all parts of its filter, newest first, page by page', async () => {
  const all = await storeJobs(150);
  expect(all).toHaveLength(150);
  const byBegin = all.toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime() || b.id - a.id);
  expect(all).toEqual(byBegin);

  const time = fc.integer({ min: 0, max: 50 }).map((minutes) => new Date(Date.UTC(2026, 0, 1, 0, minutes)));
  const filters = fc.record(
    {
      status: fc.subarray([...JOB_STATUSES]),
      type: fc
        .tuple(
          fc.array(fc.constantFrom('echo', 'Other', 'OTHER'), { maxLength: 3 }),
          fc.constantFrom([], IDLE_TYPES.slice(0, 2), IDLE_TYPES),
        )
        .map((names) => names.flat()),
      tags: fc.subarray(['green', 'blue', 'red']),
      owner: fc.constantFrom(OWNER, OTHER),
      startedAfter: time,
      startedBefore: time,
    },
    { requiredKeys: [] },
  );
  const property = fc.asyncProperty(filters, fc.integer({ min: 1, max: 20 }), async (some, limit) => {
    const filter: JobFilter = some.owner ? some : { ...some, allOwners: true };
    const { status = [], type = [], tags = [], owner, startedAfter, startedBefore } = filter;
    const wanted = all.filter(
      (job) =>
        (status.length === 0 || status.includes(job.status)) &&
        (type.length === 0 || type.some((name) => name.toLowerCase() === job.type)) &&
        (owner === undefined || job.ownerId === owner) &&
        (startedAfter === undefined || job.startedAt >= startedAfter) &&
        (startedBefore === undefined || job.startedAt < startedBefore) &&
        tags.every((tag) => job.tags.includes(tag)),
    );
    const listed: number[] = [];
    for (let before: number | undefined; ; ) {
      const page = await listJobs({ pool, catalog }, operator, { filter, limit, ...(before && { before }) });
      listed.push(...page.map(({ id }) => id));
      before = page.at(-1)?.id;
      if (page.length < limit || before === undefined) break;
    }
    expect(listed).toEqual(wanted.map(({ id }) => id));
  });
  await fc.assert(property, { numRuns: 60 });
});
