import type { DaemonName } from '@jobber/compose/daemon-programs';
import { afterAll, describe, expect, test } from 'vitest';
import { dozeWork } from '../load/workloads.ts';
import type { TreeCopy } from '../platform/copy-tree.ts';
import { checkOut, findEarlierVersion } from '../platform/release-tree.ts';
import { createWorld } from '../platform/world.ts';
import { createRandom } from '../random.ts';
import { submitInBackground } from './background.ts';
import { findBurntAttempts } from './burnt-attempts.ts';
import { SEED } from './test-world.ts';

const version = findEarlierVersion();

/** Each daemon of the earlier version meets each of this one, as caller and as called. */
const ORDERS: readonly (readonly DaemonName[])[] = [
  ['executor', 'jobs', 'products', 'auth'],
  ['auth', 'products', 'jobs', 'executor'],
];

const title = version
  ? `an upgrade from ${version} under load`
  : 'an upgrade under load: git knows no earlier version';

describe.skipIf(!version)(title, () => {
  let earlier: TreeCopy | undefined;
  afterAll(() => earlier?.remove());

  test.each(ORDERS)(
    'first the schema, then %s, then the others, loses nothing and burns no attempt',
    async (...order) => {
      earlier ??= checkOut(version as string);
      const random = createRandom(SEED).fork(`upgrade, ${order[0]} first`);
      const world = await createWorld(random, { root: earlier.root });
      let failed = true;
      try {
        const { platform, submitter, during, hold } = world;
        await submitter.submit(dozeWork(60, 250));
        const background = submitInBackground(world, 12);
        await during({ name: `upgrade, ${order[0]} first` }, async () => {
          await platform.databases.migrate();
          await submitter.submit(dozeWork(20, 100));
          for (const daemon of order) {
            for (const replica of platform.replicas(daemon)) {
              replica.setRoot(undefined);
              expect((await replica.terminate()).how).toBe('ended with exit code 0');
              await replica.untilReady();
              await submitter.submit(dozeWork(8, 50));
            }
          }
        });
        await background;
        await hold();
        expect(await findBurntAttempts(world)).toEqual([]);
        failed = false;
      } finally {
        if (failed) process.stderr.write(`Histories and logs are kept in ${world.platform.folder}\n`);
        await world.stop({ keepFolder: failed });
      }
    },
  );
});
