import { afterAll, afterEach, beforeEach } from 'vitest';
import type { PlatformOptions } from '../platform/fault-platform.ts';
import { createWorld, type World } from '../platform/world.ts';
import { createRandom, type Random } from '../random.ts';

/** Printed by `npm run test:faults`, and given to it by `--seed`. */
export const SEED = Number(process.env['FAULTS_SEED'] ?? 1);
/** `--long`: nothing is compressed. */
export const LONG = process.env['FAULTS_LONG'] === 'true';

/**
 * One world for the tests of a file: starting it takes seconds. After a failed test the next one gets a new world, and
 * the old one's folder, with histories, verdict and logs, is kept and printed.
 * @param name decides, with the seed, what is random
 */
export function useWorld(name: string, options: PlatformOptions = {}): { get(): World; random: Random } {
  const random = createRandom(SEED).fork(name);
  let world: World | undefined;
  let broken = false;

  async function end(): Promise<void> {
    const ending = world;
    world = undefined;
    if (broken && ending) process.stderr.write(`Histories and logs are kept in ${ending.platform.folder}\n`);
    await ending?.stop({ keepFolder: broken });
    broken = false;
  }

  beforeEach(async () => {
    if (broken) await end();
    world ??= await createWorld(random, options);
  });
  afterEach(({ task }) => {
    broken = task.result?.state === 'fail';
  });
  afterAll(end);
  return {
    get() {
      if (!world) throw new Error('There is a world only within a test.');
      return world;
    },
    random,
  };
}
