import { AppError } from '@jobber/shared/errors';

/** Counts what each user does at the same time. */
export interface PerUserLimit {
  /** @returns what ends it; may be called twice. @throws AppError 429 THROTTLED when the user does too much already */
  enter(userId: string): () => void;
}

/** @param what for example "send 4 files" */
export function createPerUserLimit(limit: number, what: string): PerUserLimit {
  const running = new Map<string, number>();

  function leave(userId: string): void {
    const left = (running.get(userId) ?? 1) - 1;
    if (left === 0) running.delete(userId);
    else running.set(userId, left);
  }

  return {
    enter(userId) {
      const count = running.get(userId) ?? 0;
      if (count >= limit) throw new AppError('THROTTLED', `You can ${what} at the same time`, { limit });
      running.set(userId, count + 1);
      let left = false;
      return () => {
        if (!left) leave(userId);
        left = true;
      };
    },
  };
}
