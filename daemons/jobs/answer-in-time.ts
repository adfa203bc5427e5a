import { AppError } from '@jobber/shared/errors';

/**
 * During an outage a request is answered within 5 s: work that waits for the database or for Auth longer than this many
 * milliseconds is refused as retryable. What it was doing may still happen: all of it or nothing.
 */
const ANSWER_MS = 4_500;

/** @throws AppError 503 UNAVAILABLE */
export async function answerInTime<T>(work: Promise<T>, limitMs = ANSWER_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new AppError('UNAVAILABLE', 'The service does not answer in time; try again')),
      limitMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
