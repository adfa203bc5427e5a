import { expect, test } from 'vitest';
import { deadline } from './grpc-client.ts';

test('a deadline may be any number of milliseconds, such as a third of a lease of two seconds', () => {
  expect(deadline(2_000 / 3).signal?.aborted).toBe(false);
});

test('a deadline ends with its signal, too', () => {
  const stop = new AbortController();
  const { signal } = deadline(60_000, stop.signal);
  stop.abort();
  expect(signal?.aborted).toBe(true);
});
