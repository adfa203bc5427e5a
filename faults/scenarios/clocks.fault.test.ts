import { setTimeout as delay } from 'node:timers/promises';
import { DAEMONS } from '@jobber/compose/daemon-programs';
import { describe, test } from 'vitest';
import { dozeWork } from '../load/workloads.ts';
import { submitInBackground } from './background.ts';
import { useWorld } from './test-world.ts';

/** Auth's clock only goes forward: when it goes back, tokens of before are not valid yet, and are refused for that. */
const HOUR_MS = 3_600_000;

describe('clocks', () => {
  const world = useWorld('clocks');

  test('that differ by hours, each daemon its own way', async () => {
    const { platform, submitter, during, hold } = world.get();
    await during({ name: 'each clock is off' }, async () => {
      for (const [index, daemon] of DAEMONS.entries())
        platform.shiftClock(daemon, (1.5 - index) * 2 * HOUR_MS);
      await submitter.submit(dozeWork(20, 200));
      await submitInBackground(world.get(), 6);
    });
    await hold();
    for (const daemon of DAEMONS) platform.shiftClock(daemon, 0);
  });

  test.each(DAEMONS)('of %s that jump back and forth under load', async (daemon) => {
    const { platform, submitter, random, during, hold } = world.get();
    await submitter.submit(dozeWork(30, 250));
    let background = Promise.resolve();
    await during({ name: `the clock of ${daemon} jumps` }, async () => {
      background = submitInBackground(world.get());
      for (let jump = 0; jump < 6; jump += 1) {
        platform.shiftClock(daemon, random.integer(daemon === 'auth' ? 0 : -3 * HOUR_MS, 3 * HOUR_MS));
        await delay(400);
      }
      platform.shiftClock(daemon, 0);
    });
    await background;
    await hold();
  });
});
