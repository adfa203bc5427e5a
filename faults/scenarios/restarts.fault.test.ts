import { DAEMONS } from '@jobber/compose/daemon-programs';
import { describe, expect, test } from 'vitest';
import { dozeWork } from '../load/workloads.ts';
import { submitInBackground } from './background.ts';
import { findBurntAttempts } from './burnt-attempts.ts';
import { useWorld } from './test-world.ts';

/** What orchestrators grant before they kill. */
const STOP_MS = 30_000;

describe('a rolling restart', () => {
  const world = useWorld('restarts');

  test.each(DAEMONS)(
    'of %s under load ends each process with exit code 0 within 30 s and burns no attempt',
    async (daemon) => {
      const { platform, submitter, during, hold } = world.get();
      await submitter.submit(dozeWork(30, 250));
      const background = submitInBackground(world.get(), 6);
      await during({ name: `rolling restart of ${daemon}` }, async () => {
        for (const replica of platform.replicas(daemon)) {
          const { how, tookMs } = await replica.terminate();
          expect(how).toBe('ended with exit code 0');
          expect(tookMs).toBeLessThan(STOP_MS);
          await replica.untilReady();
        }
      });
      await background;
      await hold();
      expect(await findBurntAttempts(world.get())).toEqual([]);
    },
  );

  test('of everything, one process after the other, loses no request that is tried again', async () => {
    const { platform, submitter, during, hold } = world.get();
    await submitter.submit(dozeWork(60, 250));
    const background = submitInBackground(world.get(), 12);
    await during({ name: 'rolling restart of everything' }, async () => {
      for (const daemon of platform.daemons) {
        expect((await daemon.terminate()).how).toBe('ended with exit code 0');
        await daemon.untilReady();
      }
    });
    await background;
    await hold();
    expect(await findBurntAttempts(world.get())).toEqual([]);
  });
});
