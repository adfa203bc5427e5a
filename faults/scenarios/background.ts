import { anyWork } from '../load/workloads.ts';
import type { World } from '../platform/world.ts';

/**
 * Some jobs of all kinds that are submitted while something breaks; most are tried until they are accepted, some only
 * once, so that what became of them stays open.
 * @returns a promise that never rejects; await it before the world comes to rest
 */
export async function submitInBackground(world: World, jobs = 4): Promise<void> {
  const { random, submitter } = world;
  const works = Array.from({ length: jobs }, () => ({ work: anyWork(random), once: random.chance(0.2) }));
  await Promise.all(
    works.map(({ work, once }) =>
      // An upload that is not taken is no job.
      submitter.submit(work, once ? { tries: 1 } : {}).catch(() => undefined),
    ),
  );
}
