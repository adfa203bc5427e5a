import { expect, test } from 'vitest';
import { createAnswerBudget } from './answer-budget.ts';

const text = (bytes: number) => async () => 'x'.repeat(bytes - 2);

test('reads take turns, and are told what is left', async () => {
  const budget = createAnswerBudget(100);
  const told: number[] = [];
  const read = (bytes: number) =>
    budget.read((left) => {
      told.push(left);
      return text(bytes)();
    });
  await Promise.all([read(30), read(50), read(20)]);
  expect(told).toEqual([100, 70, 20]);
});

test('what does not fit is refused, and nothing is read after it', async () => {
  const budget = createAnswerBudget(100);
  await expect(budget.read(text(101))).rejects.toMatchObject({
    reason: 'TOO_LARGE',
    message: 'The answer would be larger than 100 bytes; ask for less at once',
  });
  let asked = false;
  const next = budget.read(async () => {
    asked = true;
  });
  await expect(next).rejects.toMatchObject({ reason: 'TOO_LARGE' });
  expect(asked).toBe(false);
});

test('a read that fails leaves the others their part', async () => {
  const budget = createAnswerBudget(100);
  await expect(budget.read(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await budget.read(text(100))).toHaveLength(98);
});
