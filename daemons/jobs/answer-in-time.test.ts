import { expect, test, vi } from 'vitest';
import { answerInTime, startAnswerTime } from './answer-in-time.ts';

const never = new Promise<never>(() => {});

test('a request that waits for too long is refused as retryable', async () => {
  await expect(answerInTime(never, 10)).rejects.toMatchObject({ code: 503, reason: 'UNAVAILABLE' });
});

test('without a limit of its own it waits for 4 s: an answer within 5 s is promised', async () => {
  vi.useFakeTimers();
  const refused = answerInTime(never).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(3_999);
  await expect(Promise.race([refused, 'still waiting'])).resolves.toBe('still waiting');
  await vi.advanceTimersByTimeAsync(1);
  await expect(refused).resolves.toMatchObject({ code: 503, reason: 'UNAVAILABLE' });
  vi.useRealTimers();
});

test('the waits of one request are limited together, its own work is not', async () => {
  vi.useFakeTimers();
  const time = startAnswerTime(1_000);
  const first = time.wait(new Promise((resolve) => setTimeout(resolve, 700)));
  await vi.advanceTimersByTimeAsync(700);
  await first;
  await vi.advanceTimersByTimeAsync(60_000);
  const second = time.wait(never).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(299);
  await expect(Promise.race([second, 'still waiting'])).resolves.toBe('still waiting');
  await vi.advanceTimersByTimeAsync(1);
  await expect(second).resolves.toMatchObject({ reason: 'UNAVAILABLE' });
  vi.useRealTimers();
});

test('what is done in time is answered, and what fails keeps its own error', async () => {
  await expect(answerInTime(Promise.resolve('done'), 10)).resolves.toBe('done');
  await expect(answerInTime(Promise.reject(new Error('no')), 10)).rejects.toThrow('no');
});
