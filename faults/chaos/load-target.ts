import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectClient, reasonOf } from '../load/client.ts';
import { judge } from '../load/judge.ts';
import { startPoller } from '../load/poller.ts';
import { createRecorder } from '../load/recorder.ts';
import { createSubmitter } from '../load/submitter.ts';
import { anyPublicWork } from '../load/workloads.ts';
import { createRandom } from '../random.ts';
import type { ChaosResult } from './break-own-platform.ts';

/** Origins of a platform that somebody else runs. */
export interface Target {
  readonly auth: string;
  readonly jobs: string;
  readonly products: string;
}

/** As long as the promise of two minutes, and a little. */
const REST_MS = 150_000;
const SUBMITTERS = 4;

/**
 * Loads a platform from outside and has it judged by what its public door tells. It breaks nothing: that is done by
 * whoever runs it, meanwhile. It registers a user of its own, whose jobs and products stay.
 */
export async function loadTarget(target: Target, seed: number, minutes: number): Promise<ChaosResult> {
  const random = createRandom(seed);
  const client = await connectClient(target).catch((error: unknown) => {
    throw new Error(`No user can be made at ${target.auth}: ${reasonOf(error)}`);
  });
  const folder = mkdtempSync(join(tmpdir(), 'jobber-chaos-'));
  const recorder = createRecorder(folder);
  const submitter = createSubmitter(client, recorder);
  const poller = startPoller(client, submitter.accepted, recorder);
  const end = performance.now() + minutes * 60_000;
  await Promise.all(
    Array.from({ length: SUBMITTERS }, async (_, number) => {
      const own = random.fork(`submitter ${number}`);
      while (performance.now() < end) {
        await submitter.submit(anyPublicWork(own)).catch(() => undefined);
        await delay(own.integer(0, 400));
      }
    }),
  );
  await poller.untilAllEnded(REST_MS);
  await poller.stop();
  const judgement = await judge({
    ...recorder,
    folder,
    environment: {
      CHECKER_JOBS_URL: target.jobs,
      CHECKER_PRODUCTS_URL: target.products,
      CHECKER_TOKEN: client.token,
    },
  }).catch((error: Error) => {
    throw new Error(`${error.message.trim()}\nHistories are kept in ${folder}`);
  });
  if (judgement.valid) rmSync(folder, { recursive: true });
  return { judgement, faults: new Map(), folder };
}
