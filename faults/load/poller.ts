import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '../wait-until.ts';
import type { Client } from './client.ts';
import type { Recorder } from './recorder.ts';

/** Reads every accepted job again and again, as its submitter would, until it has ended; and then twice more. */
export interface Poller {
  readonly ended: ReadonlySet<number>;
  /** Resolves once all jobs accepted so far have been read to have ended, or the time is over. @returns whether they have */
  untilAllEnded(withinMs: number): Promise<boolean>;
  /** The job has begun a new round: it is read until it has ended again. */
  again(jobId: number): void;
  stop(): Promise<void>;
}

const EVERY_MS = 100;
const READS_AFTER_THE_END = 2;
const AT_ONCE = 8;
const TERMINAL = ['COMPLETED', 'FAILED', 'CANCELLED'];

export function startPoller(client: Client, accepted: ReadonlySet<number>, recorder: Recorder): Poller {
  const readsAfterEnd = new Map<number, number>();
  const ended = new Set<number>();
  let stopped = false;

  async function read(jobId: number): Promise<void> {
    const job = await client.readJob(jobId);
    if (!job) return;
    const { id: _, ...rest } = job;
    recorder.poll({ jobId, ...rest });
    if (!TERMINAL.includes(job.status)) return;
    ended.add(jobId);
    readsAfterEnd.set(jobId, (readsAfterEnd.get(jobId) ?? -1) + 1);
  }

  const isDone = (jobId: number) => (readsAfterEnd.get(jobId) ?? -1) >= READS_AFTER_THE_END;

  async function poll(): Promise<void> {
    while (!stopped) {
      const open = [...accepted].filter((jobId) => !isDone(jobId)).values();
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (const jobId of open) if (!stopped) await read(jobId);
        }),
      );
      await delay(EVERY_MS);
    }
  }

  const polling = poll();
  return {
    ended,
    untilAllEnded: (withinMs) =>
      waitUntil('all jobs have ended', () => [...accepted].every(isDone), { withinMs }).catch(
        () => false as const,
      ),
    again(jobId) {
      ended.delete(jobId);
      readsAfterEnd.delete(jobId);
    },
    async stop() {
      stopped = true;
      await polling;
    },
  };
}
