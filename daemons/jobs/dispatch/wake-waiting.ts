import { describeUnknownError } from '@jobber/shared/errors';
import type { Scope } from '@jobber/shared/lifecycle';
import type { Logger } from '@jobber/shared/log';
import type { Pool } from 'pg';
import { beginJobs } from '../transitions/begin-jobs.ts';
import { findNextWake } from '../transitions/find-next-wake.ts';
import { wakeTasks } from '../transitions/wake-tasks.ts';
import type { Notifications } from './notifications.ts';

/** Makes waiting tasks ready, and begins scheduled jobs, when their time has come; every replica does. */
export interface Waker {
  /** Begins its rounds, until `scope` is released. */
  start(scope: Scope): void;
  /** Something is due in so many milliseconds. */
  expect(waitMs: number): void;
}

/** What other replicas have put off is seen after this many milliseconds at the latest. */
const POLL_MS = 1_000;
/** Between two rounds at least: many tasks that are due one after the other are woken together. */
const MIN_PAUSE_MS = 25;

export function createWaker(parts: { pool: Pool; notifications: Notifications; log: Logger }): Waker {
  const { pool, notifications, log } = parts;
  const stop = new AbortController();
  let dueAt = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let endPause: (() => void) | undefined;
  let failing = false;

  async function wakeAll(): Promise<void> {
    dueAt = Number.POSITIVE_INFINITY;
    notifications.jobsChanged(await beginJobs(pool));
    for (let more = true; more && !stop.signal.aborted; ) {
      const woken = await wakeTasks(pool);
      notifications.tasksReady(woken.types);
      more = woken.more;
    }
    const next = await findNextWake(pool);
    if (next !== undefined) expect(next);
  }

  async function pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      endPause = resolve;
      arm();
    });
    clearTimeout(timer);
    endPause = undefined;
  }

  /** The pause ends with what is due first. */
  function arm(): void {
    clearTimeout(timer);
    const waitMs = Math.min(POLL_MS, dueAt - performance.now());
    if (endPause) timer = setTimeout(endPause, Math.max(MIN_PAUSE_MS, waitMs));
  }

  async function loop(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await wakeAll();
        failing = false;
      } catch (error) {
        if (!failing) log.warn({ error: describeUnknownError(error) }, 'waking tasks failed; trying again');
        failing = true;
      }
      if (!stop.signal.aborted) await pause();
    }
  }

  function expect(waitMs: number): void {
    const at = performance.now() + waitMs;
    if (at >= dueAt) return;
    dueAt = at;
    arm();
  }

  return {
    expect,
    start(scope) {
      const looping = loop();
      scope.defer('waking tasks', async () => {
        stop.abort();
        endPause?.();
        await looping;
      });
    },
  };
}
