import { AppError } from '@jobber/shared/errors';

/** Runs work of the same key one after the other, in the order of arrival; different keys do not wait for each other. */
export type TakeTurns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/**
 * Logins to one account take turns, so that a guess is judged before the next one is let in, and correct passwords
 * that arrive together are not mistaken for guessing.
 * @param maxWaiting of one key; further ones are refused with 503 UNAVAILABLE
 */
export function createTurns({ maxWaiting }: { maxWaiting: number }): TakeTurns {
  const lines = new Map<string, { last: Promise<unknown>; waiting: number }>();

  return async function takeTurn(key, work) {
    const line = lines.get(key) ?? { last: Promise.resolve(), waiting: 0 };
    if (line.waiting > maxWaiting) {
      throw new AppError(
        'UNAVAILABLE',
        'Too many logins to this account at once; try again in a few seconds',
        {
          retryAfterSeconds: 2,
        },
      );
    }
    lines.set(key, line);
    line.waiting += 1;
    const turn = line.last.then(work);
    line.last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      line.waiting -= 1;
      if (line.waiting === 0) lines.delete(key);
    }
  };
}
