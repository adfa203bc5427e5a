import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

const never = new AbortController().signal;

test('turns are taken in the order of arrival, never more at once than there are', async () => {
  const turns = createTurns(2);
  const order: number[] = [];
  let atOnce = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 10 }, async (_, n) => {
      const end = await turns.take(never);
      order.push(n);
      most = Math.max(most, ++atOnce);
      await Promise.resolve();
      atOnce -= 1;
      end();
    }),
  );
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(most).toBe(2);
});

test('whoever is aborted leaves the line, and its turn is not lost', async () => {
  const turns = createTurns(1);
  const end = await turns.take(never);
  const controller = new AbortController();
  const leaving = turns.take(controller.signal);
  const staying = turns.take(never);
  controller.abort(new Error('never mind'));
  await expect(leaving).rejects.toThrow('never mind');
  end();
  (await staying)();
  (await turns.take(never))();
});

test('a turn that is ended twice is one turn', async () => {
  const turns = createTurns(1);
  const end = await turns.take(never);
  end();
  end();
  await turns.take(never);
  const controller = new AbortController();
  const waiting = turns.take(controller.signal);
  controller.abort(new Error('still taken'));
  await expect(waiting).rejects.toThrow('still taken');
});
