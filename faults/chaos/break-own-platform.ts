import { setTimeout as delay } from 'node:timers/promises';
import type { Judgement } from '../load/judge.ts';
import { createWorld } from '../platform/world.ts';
import { createRandom } from '../random.ts';
import { loadUntil } from './load-until.ts';
import { chooseFault } from './random-faults.ts';

export interface ChaosResult {
  readonly judgement: Judgement;
  /** How often each fault was injected. */
  readonly faults: ReadonlyMap<string, number>;
  /** Histories and logs, kept when the verdict is not valid. */
  readonly folder: string;
}

/** Starts a platform, breaks it at random under load, heals it, waits until it is at rest, and has it judged. */
export async function breakOwnPlatform(seed: number, minutes: number): Promise<ChaosResult> {
  const random = createRandom(seed);
  const choices = random.fork('faults');
  const world = await createWorld(random);
  const faults = new Map<string, number>();
  const over = new AbortController();
  let valid = false;
  try {
    const loading = loadUntil(over.signal, world, random.fork('load'), world.platform.folder);
    const end = performance.now() + minutes * 60_000;
    while (performance.now() < end) {
      await delay(choices.integer(200, 3_000));
      const fault = chooseFault(choices);
      faults.set(fault.name, (faults.get(fault.name) ?? 0) + 1);
      await world.during(fault, () => fault.strike(world));
      // The next one often comes before everything has recovered.
      if (choices.chance(0.5)) await world.platform.untilReady();
    }
    over.abort();
    await world.platform.untilReady();
    await loading;
    await world.comeToRest();
    const judgement = await world.judge();
    valid = judgement.valid;
    return { judgement, faults, folder: world.platform.folder };
  } finally {
    over.abort();
    await world.stop({ keepFolder: !valid });
  }
}
