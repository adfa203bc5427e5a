import { callerOf } from '@jobber/shared/auth-guard';
import { AppError, isAppError } from '@jobber/shared/errors';
import type { MiddlewareHandler } from 'hono';
import { answerInTime } from '../answer-in-time.ts';

/** A body up to this many bytes is read from anybody; one without a stated length counts as large. */
const LARGE_BYTES = 256 * 1024;
/** A large body takes several times its size in memory: this many are read and worked on at the same time. */
const MAX_RUNNING = 4;
const MAX_WAITING = 60;

/**
 * Keeps the memory bounded: large bodies are read only of those who are logged in, and only some at a time; the others
 * wait unread. Refusals have the form of GraphQL's.
 */
export function admitLargeBodies(): MiddlewareHandler {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function enter(): Promise<void> {
    if (running >= MAX_RUNNING) {
      if (waiting.length >= MAX_WAITING)
        throw new AppError('UNAVAILABLE', 'Too many large requests at the moment; try again');
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
  }

  /** Whoever waits takes the place over. */
  function leave(): void {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }

  return async function admit(c, next) {
    const length = c.req.header('content-length');
    if (c.req.method !== 'POST' || (length !== undefined && Number(length) <= LARGE_BYTES)) return next();
    try {
      await answerInTime(callerOf(c).identity());
      await enter();
    } catch (error) {
      if (!isAppError(error)) throw error;
      const { message, code, reason } = error;
      return c.json({ data: null, errors: [{ message, extensions: { code, reason } }] });
    }
    try {
      await next();
    } finally {
      leave();
    }
  };
}
