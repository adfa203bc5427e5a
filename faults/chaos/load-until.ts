import { setTimeout as delay } from 'node:timers/promises';
import type { Submitter } from '../load/submitter.ts';
import { anyWork } from '../load/workloads.ts';
import type { Random } from '../random.ts';

const SUBMITTERS = 6;

/** Submits jobs of all kinds from several submitters, one after the other each, until `signal` is aborted. */
export async function loadUntil(signal: AbortSignal, submitter: Submitter, random: Random): Promise<void> {
  await Promise.all(
    Array.from({ length: SUBMITTERS }, async (_, number) => {
      const own = random.fork(`submitter ${number}`);
      while (!signal.aborted) {
        // An upload that is not taken is no job; a call that is not tried again stays open.
        const jobId = await submitter
          .submit(anyWork(own), own.chance(0.2) ? { tries: 1 } : {})
          .catch(() => undefined);
        if (jobId !== undefined && own.chance(0.05)) await submitter.cancel(jobId);
        await delay(own.integer(0, 400));
      }
    }),
  );
}
