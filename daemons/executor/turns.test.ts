import { expect, test } from 'vitest';
import { abortableBy } from './abortable.ts';
import { createTurns } from './turns.ts';

const ADA = { ownerId: 'ada', jobId: 1 };
const patient = () => abortableBy(new AbortController().signal);

test('turns are taken in the order of arrival, never more at once than there are', async () => {
  const turns = createTurns(2);
  const order: number[] = [];
  let atOnce = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 10 }, async (_, n) => {
      await turns.take(patient(), ADA);
      order.push(n);
      most = Math.max(most, ++atOnce);
      await Promise.resolve();
      atOnce -= 1;
      turns.end();
    }),
  );
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(most).toBe(2);
});

test('one owner does not wait for all turns of another', async () => {
  const turns = createTurns(1);
  const order: string[] = [];
  await turns.take(patient(), ADA);
  const takers = ['ada', 'ada', 'ada', 'bob'].map(async (ownerId) => {
    await turns.take(patient(), { ownerId, jobId: 1 });
    order.push(ownerId);
    turns.end();
  });
  turns.end();
  await Promise.all(takers);
  expect(order).toEqual(['ada', 'bob', 'ada', 'ada']);
});

test('a turn that is free is taken at once', async () => {
  const turns = createTurns(1);
  expect(turns.take(patient(), ADA)).toBeUndefined();
  const waiting = turns.take(patient(), ADA);
  expect(waiting).toBeInstanceOf(Promise);
  turns.end();
  await waiting;
  turns.end();
  expect(turns.take(patient(), ADA)).toBeUndefined();
});

test('whoever is aborted leaves the line, and its turn is not lost', async () => {
  const turns = createTurns(1);
  await turns.take(patient(), ADA);
  const controller = new AbortController();
  const leaving = turns.take(abortableBy(controller.signal), ADA);
  const staying = turns.take(patient(), ADA);
  controller.abort(new Error('never mind'));
  await expect(leaving).rejects.toThrow('never mind');
  turns.end();
  await staying;
  turns.end();
  expect(turns.take(patient(), ADA)).toBeUndefined();
});

test('whoever was aborted before takes no turn', () => {
  const turns = createTurns(1);
  expect(() => turns.take(abortableBy(AbortSignal.abort(new Error('too late'))), ADA)).toThrow('too late');
  expect(turns.take(patient(), ADA)).toBeUndefined();
});

test('an abort after the turn has come ends nothing', async () => {
  const turns = createTurns(1);
  await turns.take(patient(), ADA);
  const controller = new AbortController();
  const called = turns.take(abortableBy(controller.signal), ADA);
  turns.end();
  controller.abort();
  await called;
  const next = turns.take(patient(), ADA);
  turns.end();
  await next;
});
