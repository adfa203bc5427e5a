import { describe, test } from 'vitest';
import { dozeWork, loadWork } from '../load/workloads.ts';
import { submitInBackground } from './background.ts';
import { type MessageEdge, withMessageFault } from './doubled-calls.ts';
import { useWorld } from './test-world.ts';

const CASES: readonly MessageEdge[] = [
  { edge: 'executor-jobs', method: 'acknowledgeJob', fault: 'doubled' },
  { edge: 'executor-jobs', method: 'acknowledgeJob', fault: 'reordered' },
  { edge: 'executor-jobs', method: 'acknowledgeJob', fault: 'repeated' },
  { edge: 'executor-jobs', method: 'heartbeat', fault: 'doubled' },
  { edge: 'executor-jobs', method: 'heartbeat', fault: 'reordered' },
  { edge: 'executor-jobs', method: 'registerJobTypes', fault: 'doubled' },
  { edge: 'executor-products', method: 'createProducts', fault: 'doubled' },
  { edge: 'executor-products', method: 'createProducts', fault: 'repeated' },
  { edge: 'executor-products', method: 'createProducts', fault: 'reordered' },
];

describe('calls between daemons', () => {
  const world = useWorld('messages');

  test.each(CASES)('$method, $fault', async (fault) => {
    const { hold, random, submitter } = world.get();
    await withMessageFault(world.get(), fault, async () => {
      await Promise.all([
        submitter.submit(dozeWork(12, 200)),
        submitter.submit(dozeWork(3, 1_500)),
        // What runs in the background is chosen at random, and may write no products.
        submitter.submit(loadWork(random, 30)),
        submitter.submit(loadWork(random, 30)),
        submitInBackground(world.get(), 8),
      ]);
    });
    await hold();
  });
});
