import { DAEMONS, type DaemonName } from '@jobber/compose/daemon-programs';
import { test } from 'vitest';
import type { DaemonProcess } from '../platform/daemon-process.ts';
import { submitInBackground } from './background.ts';
import { STEPS, type Step } from './steps.ts';
import { useWorld } from './test-world.ts';

export interface Blow {
  /** Names the tests: `SIGKILL of jobs while …`. */
  readonly name: string;
  /** Whether the public door cannot answer while this daemon has been hit. */
  silences(daemon: DaemonName): boolean;
  /** Hits the replicas at the step's moment. The edges that led to it heal `afterwards`, and other jobs come in. */
  strike(replicas: readonly DaemonProcess[], afterwards: () => void): Promise<void>;
}

/** A test for each daemon at each step: it is hit there, and nothing may be lost, doubled or stuck. */
export function testEachStep(blow: Blow): void {
  const world = useWorld(blow.name);
  const cases = (Object.keys(STEPS) as Step[]).flatMap((step) =>
    DAEMONS.map((daemon) => ({ daemon, step, name: step.replace(/^its/, "a job's") })),
  );

  test.each(cases)(`${blow.name} of $daemon while $name`, async ({ daemon, step }) => {
    const { platform, during, hold, random } = world.get();
    const all = platform.replicas(daemon);
    // One executor, or all of them at once.
    const replicas = random.chance(0.5) ? all : [random.pick(all)];
    let background = Promise.resolve();
    await during(
      { name: `${blow.name} of ${daemon} while ${step}`, silences: blow.silences(daemon) },
      async () => {
        await STEPS[step](world.get());
        await blow.strike(replicas, () => {
          background = submitInBackground(world.get());
          for (const edge of Object.values(platform.edges)) edge.heal();
        });
      },
    );
    await background;
    await hold();
  });
}
