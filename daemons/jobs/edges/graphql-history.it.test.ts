import { expect, test } from 'vitest';
import { createFailingJobs, everyItem } from '../testing/failing-jobs.ts';
import { reasonOf, startTestJobs } from '../testing/test-jobs.ts';

const jobs = await startTestJobs();
const { ask, auth } = jobs;
const { runAll, accept, failed, redrive } = createFailingJobs(jobs);
/** The job type's items per task. */
const PER_TASK = 2;

test('the history of a job keeps every round, oldest first, and is paged by its ids in both directions', async () => {
  const user = auth.user();
  const id = await failed(user, 2 * PER_TASK);
  await redrive(user, { ids: [`${id}/1`] });
  await runAll(everyItem, 'StillBroken', 'It is still broken');
  const read = async (args = '') =>
    (
      await ask(
        user,
        `query ($id: Float!) { job(id: $id) {
           history${args} { id at event round task attempt executor reason message detail }
         } }`,
        { id },
      )
    ).data.job.history;
  const all = await read();
  expect(
    all.map((e: Record<string, unknown>) => [e['event'], e['round'], e['task'], e['attempt'], e['reason']]),
  ).toEqual([
    ['DIED', 1, 0, 1, 'Broken'],
    ['DIED', 1, 1, 1, 'Broken'],
    ['REDRIVEN', 2, 1, 1, null],
    ['DIED', 2, 1, 2, 'StillBroken'],
  ]);
  expect(all[2].detail).toEqual({
    by: user.id,
    failed: [
      [0, 0, { reason: 'Broken', message: 'It is broken' }],
      [1, 0, { reason: 'Broken', message: 'It is broken' }],
    ],
  });
  const paged = [...(await read('(limit: 2)')), ...(await read(`(limit: 2, after: ${all[1].id})`))];
  expect(paged).toEqual(all);
  expect(await read(`(after: ${all[3].id})`)).toEqual([]);
  const newest = await read('(newestFirst: true)');
  expect(newest).toEqual(all.toReversed());
  const pagedBack = [
    ...(await read('(newestFirst: true, limit: 3)')),
    ...(await read(`(newestFirst: true, limit: 3, before: ${newest[2].id})`)),
  ];
  expect(pagedBack).toEqual(newest);
  expect(await read(`(after: ${all[0].id}, before: ${all[3].id})`)).toEqual(all.slice(1, 3));
  const sized = await ask(user, 'query ($id: Float!) { job(id: $id) { historySize } }', { id });
  expect(sized.data.job.historySize).toBe(4);
  const bad = [
    '(limit: 0)',
    '(limit: 1001)',
    '(after: -1)',
    '(after: 1.5)',
    '(after: 1e308)',
    '(before: -1)',
  ];
  for (const args of bad) {
    const answer = await ask(user, `query ($id: Float!) { job(id: $id) { history${args} { id } } }`, { id });
    expect(reasonOf(answer)).toBe('INVALID_INPUT');
  }
});

test('a cancellation stands in the history, with who asked for it; 100 at once are one', async () => {
  const user = auth.user();
  const operator = auth.user('operator');
  const id = await accept(user, 4);
  const cancel = () => ask(operator, 'mutation ($id: Float!) { cancelJob(id: $id) { status } }', { id });
  const answers = await Promise.all(Array.from({ length: 100 }, cancel));
  expect(answers.map(({ data }) => data?.cancelJob.status)).toEqual(answers.map(() => 'CANCELLED'));
  const { data } = await ask(user, 'query ($id: Float!) { job(id: $id) { history { event task detail } } }', {
    id,
  });
  expect(data.job.history).toEqual([{ event: 'CANCELLED', task: null, detail: { by: operator.id } }]);
});
