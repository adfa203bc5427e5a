import { setTimeout as delay } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { dozeWork, loadWork } from '../load/workloads.ts';
import { EDGES, type Edge } from '../platform/edges.ts';
import type { EdgeFault } from '../proxy/tcp-proxy.ts';
import { submitInBackground } from './background.ts';
import { LONG, useWorld } from './test-world.ts';

const FAULTS: readonly EdgeFault[] = [
  { kind: 'cut' },
  { kind: 'delayed', ms: 150 },
  { kind: 'black hole' },
  { kind: 'replies dropped' },
];
/** Longer than a lease. */
const LASTS_MS = LONG ? 60_000 : 3_500;

const NAMES: Readonly<Record<Edge, string>> = {
  'client-jobs': 'from the client to Jobs',
  'jobs-auth': 'from Jobs to Auth',
  'products-auth': 'from Products to Auth',
  'executor-jobs': 'from the executors to Jobs',
  'executor-products': 'from the executors to Products',
  'auth-postgres': 'from Auth to PostgreSQL',
  'jobs-postgres': 'from Jobs to PostgreSQL',
  'products-postgres': 'from Products to PostgreSQL',
};

describe('an edge under load', () => {
  const world = useWorld('edges');
  const cases = EDGES.flatMap((edge) =>
    FAULTS.map((fault) => ({ edge, fault, name: `${NAMES[edge]}, ${fault.kind}` })),
  );

  test.each(cases)('$name', async ({ edge, fault }) => {
    const { platform, submitter, random, during, hold } = world.get();
    // Work that is under way on every edge when it breaks.
    await Promise.all([submitter.submit(dozeWork(10, 300)), submitter.submit(loadWork(random, 30))]);
    let background = Promise.resolve();
    await during({ name: `${edge} ${fault.kind}`, silences: edge === 'client-jobs' }, async () => {
      platform.edges[edge].inject(fault);
      background = submitInBackground(world.get());
      await delay(LASTS_MS);
    });
    await background;
    await hold();
  });
});
