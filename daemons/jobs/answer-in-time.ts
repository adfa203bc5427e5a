import { AppError } from '@jobber/shared/errors';

/**
 * During an outage a request is answered within 5 s: one that has waited for the database or for Auth longer than this many
 * milliseconds is refused as retryable. What it was doing may still happen: all of it or nothing. The last second is for a
 * machine that has too much to do.
 */
const ANSWER_MS = 4_000;

/** What a request does to so many tasks takes seconds: that is its own work. */
export const MANY_TASKS = 1_000;
const MANY_TASKS_MS = 12_000;

/** How long one request may still wait for others. Its own work, such as the check of a large file, does not count. */
export interface AnswerTime {
  /** One wait after the other. @throws AppError 503 UNAVAILABLE when all of them together have taken too long */
  wait<T>(work: Promise<T>): Promise<T>;
}

export function startAnswerTime(limitMs = ANSWER_MS): AnswerTime {
  let leftMs = limitMs;
  return {
    async wait(work) {
      const started = performance.now();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new AppError('UNAVAILABLE', 'The service does not answer in time; try again')),
          leftMs,
        );
      });
      try {
        return await Promise.race([work, late]);
      } finally {
        clearTimeout(timer);
        leftMs = Math.max(0, leftMs - (performance.now() - started));
      }
    },
  };
}

/** For a request that waits once. @throws AppError 503 UNAVAILABLE */
export function answerInTime<T>(work: Promise<T>, limitMs?: number): Promise<T> {
  return startAnswerTime(limitMs).wait(work);
}

/** For the part of a request that stores or changes so many tasks. */
export function timeForTasks(count: number, time: AnswerTime): AnswerTime {
  return count > MANY_TASKS ? startAnswerTime(MANY_TASKS_MS) : time;
}
