import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Changer } from '../load/changer.ts';
import type { Submitter } from '../load/submitter.ts';
import { anyWork, flakyWork } from '../load/workloads.ts';
import type { Random } from '../random.ts';

const SUBMITTERS = 6;

/** Submits jobs of all kinds from several submitters, one after the other each, until `signal` is aborted. @param gates a folder */
export async function loadUntil(
  signal: AbortSignal,
  { submitter, changer }: { submitter: Submitter; changer: Changer },
  random: Random,
  gates: string,
): Promise<void> {
  await Promise.all(
    Array.from({ length: SUBMITTERS }, async (_, number) => {
      const own = random.fork(`submitter ${number}`);
      while (!signal.aborted) {
        // An upload that is not taken is no job; a call that is not tried again stays open.
        const jobId = await submitter
          .submit(anyWork(own), own.chance(0.2) ? { tries: 1 } : {})
          .catch(() => undefined);
        if (jobId !== undefined && own.chance(0.05)) await changer.cancel(jobId);
        if (own.chance(0.05)) await failAndRedrive({ submitter, changer }, own, gates);
        await delay(own.integer(0, 400));
      }
    }),
  );
}

/** A job of which a part fails and is run again; who asks before it has ended is refused, and then it stays failed. */
async function failAndRedrive(
  { submitter, changer }: { submitter: Submitter; changer: Changer },
  random: Random,
  gates: string,
): Promise<void> {
  const gate = join(gates, `gate-${random.integer(0, 1_000_000_000)}`);
  writeFileSync(gate, '');
  const jobId = await submitter.submit({ ...flakyWork(random, gate), expects: 'any' }).catch(() => undefined);
  await delay(random.integer(500, 3_000));
  rmSync(gate);
  if (jobId === undefined) return;
  if (random.chance(0.5)) await changer.retry(jobId);
  else await changer.redrive([jobId]);
}
