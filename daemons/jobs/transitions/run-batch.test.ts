import { expect, test } from 'vitest';
import { againAfterConflict, againAfterDeadlock, runBatch } from './run-batch.ts';

const failure = (code: string) => Object.assign(new Error(code), { code });

test('when the database refuses what one item holds, only that one fails', async () => {
  const batches: number[][] = [];
  const results = await runBatch([1, 2, 3], async (items) => {
    batches.push([...items]);
    if (items.includes(2)) throw failure('22P05');
    return items.map((item) => item * 10);
  });
  expect(results).toEqual([10, failure('22P05'), 30]);
  expect(batches).toEqual([[1, 2, 3], [1], [2], [3]]);
});

test('an error that leaves the outcome open is never answered by doing it again', async () => {
  for (const code of ['57P01', '08006', 'ECONNRESET', '']) {
    let runs = 0;
    const batch = runBatch([1, 2], async () => {
      runs += 1;
      throw failure(code);
    });
    await expect(batch).rejects.toThrow(code);
    expect(runs).toBe(1);
  }
});

test('what a deadlock has rolled back is done again, up to twice', async () => {
  let runs = 0;
  const deadlocked = (times: number) => async () => {
    runs += 1;
    if (runs <= times) throw failure('40P01');
    return 'done';
  };
  for (const times of [0, 1, 2]) {
    runs = 0;
    expect(await againAfterDeadlock(deadlocked(times))).toBe('done');
  }
  runs = 0;
  await expect(againAfterDeadlock(deadlocked(10))).rejects.toThrow('40P01');
  expect(runs).toBe(3);
});

test('whoever meets others with the same unique key looks again, up to four times', async () => {
  let runs = 0;
  const conflicting = (times: number) => async () => {
    runs += 1;
    if (runs <= times) throw failure('23505');
    return 'done';
  };
  expect(await againAfterConflict(conflicting(4))).toBe('done');
  runs = 0;
  await expect(againAfterConflict(conflicting(10))).rejects.toThrow('23505');
  expect(runs).toBe(5);
});
