import { type Caller, callerOf, type Identity } from '@jobber/shared/auth-guard';
import { describeUnknownError, isAppError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import { Hono } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { answerInTime, startAnswerTime } from '../answer-in-time.ts';
import { isLater, type JobChanges, type JobState } from '../dispatch/job-changes.ts';
import type { ReadJob } from '../use-cases/read-jobs.ts';
import type { ReadToldTasks, RunningTaskView } from '../use-cases/read-running-tasks.ts';
import { type ChangeSignal, createChangeSignal } from './change-signal.ts';
import type { HttpEdge } from './http-edge.ts';
import { createPerUserLimit } from './limit-per-user.ts';

/** A job that changes all the time is told about this often at most, in milliseconds; its end as soon. */
const COALESCE_MS = 100;
/** Whether the login still stands is asked this often at most: a stream outlives it by no more than that. */
const LOGIN_RECHECK_MS = 5_000;
/** A lost notification is made good for after this many milliseconds; it keeps proxies from closing the stream, too. */
const RECHECK_MS = 5_000;
/** How far handlers are is looked up this often at most; there is news of it with heartbeats only. */
const PROGRESS_MS = RECHECK_MS;
/** Streams of one user at the same time. */
const MAX_STREAMS = 100;

/**
 * `GET /jobs/:id/events`: Server-Sent Events, `event: job` at once and after each change, until the job has ended, the
 * login has, or this replica stops. Clients then ask again. In between, `event: progress` when the handlers of running
 * tasks have said something new about how far they are.
 */
export function eventsRoute(parts: {
  readJob: ReadJob;
  readToldTasks: ReadToldTasks;
  changes: JobChanges;
  stopping: AbortSignal;
  edge: HttpEdge;
  log: Logger;
}): Hono {
  const { readJob, readToldTasks, changes, stopping, edge, log } = parts;
  const streams = createPerUserLimit(MAX_STREAMS, `watch ${MAX_STREAMS} jobs`);
  const app = new Hono();

  /** A database that is away for a moment does not end the stream. */
  async function readAgain(identity: Identity, id: number): Promise<JobState | undefined> {
    return answerInTime(readJob(identity, id)).catch((error: unknown) => {
      log.debug({ error: describeUnknownError(error), jobId: id }, 'a watched job could not be read');
      return undefined;
    });
  }

  async function readProgress(id: number): Promise<readonly RunningTaskView[] | undefined> {
    return answerInTime(readToldTasks(id)).catch((error: unknown) => {
      log.debug({ error: describeUnknownError(error), jobId: id }, 'progress could not be read');
      return undefined;
    });
  }

  /** Also while Auth is away: that ends no stream. */
  async function isLoggedIn(caller: Caller): Promise<boolean> {
    return answerInTime(caller.identityNow()).then(
      () => true,
      (error: unknown) => !isAppError(error) || error.code !== 401,
    );
  }

  app.get('/jobs/:id{[0-9]+}/events', (c) =>
    edge.answer(c, 'events', async () => {
      const id = Number(c.req.param('id'));
      const caller = callerOf(c);
      const time = startAnswerTime();
      const identity = await time.wait(caller.identity());
      const leave = streams.enter(identity.userId);
      // Watched before it is read, so that no change falls between the two.
      const changed = createChangeSignal((listener) => changes.watch(id, listener), stopping);
      function end(): void {
        changed.end();
        leave();
      }
      try {
        const first = await time.wait(readJob(identity, id));
        return streamSSE(c, async (stream) => {
          stream.onAbort(end);
          const source = {
            read: () => readAgain(identity, id),
            readProgress: () => readProgress(id),
            isLoggedIn: () => isLoggedIn(caller),
          };
          await tellChanges(stream, first, source, changed).finally(end);
        });
      } catch (error) {
        end();
        throw error;
      }
    }),
  );
  return app;
}

interface Source {
  readonly read: () => Promise<JobState | undefined>;
  readonly readProgress: () => Promise<readonly RunningTaskView[] | undefined>;
  readonly isLoggedIn: () => Promise<boolean>;
}

async function tellChanges(
  stream: SSEStreamingApi,
  first: JobState,
  { read, readProgress, isLoggedIn }: Source,
  changed: ChangeSignal,
): Promise<void> {
  let told = first;
  let toldAt = Number.NEGATIVE_INFINITY;
  let loginAskedAt = performance.now();
  let progressReadAt = performance.now();
  let progressTold = '[]';
  await stream.writeSSE(toEvent(told));
  while (told.endedAt === null) {
    await changed.wait(RECHECK_MS);
    const tooSoon = toldAt + COALESCE_MS - performance.now();
    if (tooSoon > 0) await changed.pause(tooSoon);
    if (changed.ended) return;
    if (performance.now() - loginAskedAt >= LOGIN_RECHECK_MS) {
      if (!(await isLoggedIn())) return;
      loginAskedAt = performance.now();
    }
    const now = changed.take() ?? (await read());
    if (now && isLater(now, told)) {
      await stream.writeSSE(toEvent(now));
      told = now;
      toldAt = performance.now();
    } else {
      await stream.write(': still there\n\n');
    }
    if (told.endedAt !== null || performance.now() - progressReadAt < PROGRESS_MS) continue;
    const progress = JSON.stringify((await readProgress()) ?? []);
    progressReadAt = performance.now();
    if (progress === progressTold) continue;
    await stream.writeSSE({ event: 'progress', data: `{"id":${told.id},"running":${progress}}` });
    progressTold = progress;
  }
}

function toEvent({ id, status, size, completed, failed, startedAt, endedAt }: JobState) {
  return { event: 'job', data: JSON.stringify({ id, status, size, completed, failed, startedAt, endedAt }) };
}
