import { setTimeout as delay } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { fibonacciWork, loadWork } from '../load/workloads.ts';
import { submitInBackground } from './background.ts';
import { STEPS, type Step } from './steps.ts';
import { LONG, useWorld } from './test-world.ts';

describe('PostgreSQL', () => {
  const world = useWorld('postgres');

  test.each(Object.keys(STEPS) as Step[])('stopped with -m immediate while, of a job, %s', async (step) => {
    const { platform, during, hold } = world.get();
    let background = Promise.resolve();
    await during({ name: `PostgreSQL crashes while ${step}` }, async () => {
      await STEPS[step](world.get());
      background = submitInBackground(world.get());
      await platform.databases.crash();
      for (const edge of Object.values(platform.edges)) edge.heal();
      await delay(LONG ? 30_000 : 2_000);
    });
    await background;
    await hold();
  });

  test('its backends terminated every 2 s', async () => {
    const { platform, submitter, random, during, hold } = world.get();
    const background: Promise<unknown>[] = [];
    await during({ name: 'backends terminated every 2 s' }, async () => {
      for (let round = 0; round < (LONG ? 30 : 5); round += 1) {
        background.push(submitInBackground(world.get()));
        background.push(
          submitter.submit(fibonacciWork(random, 200)),
          submitter.submit(loadWork(random, 200)),
        );
        await delay(2_000);
        await platform.databases.terminateBackends();
      }
    });
    await Promise.all(background);
    await hold();
  });
});
