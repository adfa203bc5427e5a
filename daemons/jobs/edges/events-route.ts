import { callerOf } from '@jobber/shared/auth-guard';
import { errorResponse } from '@jobber/shared/http';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { JobChanges } from '../dispatch/job-changes.ts';
import type { JobView } from '../use-cases/job-view.ts';
import type { ReadJob } from '../use-cases/read-jobs.ts';

/** A job that changes all the time is told about this often at most, in milliseconds; its end at once. */
const COALESCE_MS = 100;
/** A lost notification is made good for after this many milliseconds; it keeps proxies from closing the stream, too. */
const RECHECK_MS = 5_000;

/** `GET /jobs/:id/events`: Server-Sent Events, `event: job` at once and after each change, until the job has ended. */
export function eventsRoute(parts: { readJob: ReadJob; changes: JobChanges; stopping: AbortSignal }): Hono {
  const app = new Hono();
  app.get('/jobs/:id{[0-9]+}/events', async (c) => {
    const id = Number(c.req.param('id'));
    try {
      const identity = await callerOf(c).identity();
      const first = await parts.readJob(identity, id);
      return streamSSE(c, async (stream) => {
        const wait = createWait(parts.changes, id, parts.stopping);
        stream.onAbort(wait.end);
        try {
          let job = first;
          await stream.writeSSE(toEvent(job));
          while (!stream.aborted && !parts.stopping.aborted && job.endedAt === null) {
            await wait.next();
            const now = await parts.readJob(identity, id);
            if (!sameProgress(job, now)) await stream.writeSSE(toEvent(now));
            else await stream.write(': still there\n\n');
            job = now;
          }
        } finally {
          wait.end();
        }
      });
    } catch (error) {
      return errorResponse(c, error);
    }
  });
  return app;
}

/** Waits for changes; those that come while nobody waits are remembered. */
function createWait(changes: JobChanges, id: number, stopping: AbortSignal) {
  let changed = false;
  let ended = false;
  let wake: () => void = () => {};
  const unwatch = changes.watch(id, () => {
    changed = true;
    wake();
  });
  let lastAt = Number.NEGATIVE_INFINITY;

  function end(): void {
    ended = true;
    unwatch();
    wake();
  }

  async function next(): Promise<void> {
    if (!changed && !ended && !stopping.aborted) await pause(RECHECK_MS);
    const soon = lastAt + COALESCE_MS - performance.now();
    if (soon > 0 && !ended && !stopping.aborted) {
      wake = () => {};
      await new Promise((resolve) => setTimeout(resolve, soon));
    }
    changed = false;
    lastAt = performance.now();
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
      stopping.addEventListener('abort', wake, { once: true });
    });
  }

  return { next, end };
}

function sameProgress(a: JobView, b: JobView): boolean {
  return a.status === b.status && a.completed === b.completed && a.failed === b.failed;
}

function toEvent({ id, status, size, completed, failed, startedAt, endedAt }: JobView) {
  return { event: 'job', data: JSON.stringify({ id, status, size, completed, failed, startedAt, endedAt }) };
}
