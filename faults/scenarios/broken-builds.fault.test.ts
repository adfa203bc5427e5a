import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { copyTreeWith } from '../platform/copy-tree.ts';
import { createWorld, type World } from '../platform/world.ts';
import { createRandom } from '../random.ts';
import { crashAfterAnswers } from './crash-after-answers.ts';
import { doubleProducts, repeatAcknowledgements } from './doubled-calls.ts';
import { SEED, useWorld } from './test-world.ts';

interface BrokenBuild {
  /** The file in faults/broken-builds, without its ending. */
  readonly patch: string;
  readonly scenario: (world: World) => Promise<void>;
  /** Kinds of problems, one of which the checker must find. */
  readonly caught: readonly string[];
}

const BUILDS: readonly BrokenBuild[] = [
  { patch: 'acknowledged-before-stored', scenario: crashAfterAnswers, caught: ['lost', 'non-monotone'] },
  { patch: 'no-fencing', scenario: repeatAcknowledgements, caught: ['doubled', 'lost', 'wrong'] },
  { patch: 'no-ledger', scenario: doubleProducts, caught: ['doubled'] },
];

/** What nobody asked to be durable is written late: a crash then surely loses it. */
const LATE_WRITER = { wal_writer_delay: '10s', wal_writer_flush_after: '1GB' };

describe.each(BUILDS)('a build with $patch', ({ patch, scenario, caught }) => {
  test('turns the checker red', async () => {
    const tree = copyTreeWith(fileURLToPath(new URL(`../broken-builds/${patch}.patch`, import.meta.url)));
    const world = await start(tree.root);
    try {
      await scenario(world);
      // What is broken may never come to rest.
      await world.comeToRest(10_000);
      const { valid, counts } = await world.judge();
      expect(valid).toBe(false);
      expect(caught.some((kind) => (counts[kind] ?? 0) > 0)).toBe(true);
    } finally {
      await world.stop();
      tree.remove();
    }
  });
});

describe('the build without any of them', () => {
  const world = useWorld('sound build', { postgresSettings: LATE_WRITER });

  test.each(BUILDS)('is not turned red by what shows $patch', async ({ scenario }) => {
    await scenario(world.get());
    await world.get().hold();
  });
});

function start(root: string): Promise<World> {
  const random = createRandom(SEED).fork('broken builds');
  return createWorld(random, { postgresSettings: LATE_WRITER, reported: false, root });
}
