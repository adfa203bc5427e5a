import { setTimeout as delay } from 'node:timers/promises';
import { testEachStep } from './test-each-step.ts';
import { LONG } from './test-world.ts';

/** For longer than a lease: 90 s as leases are by default, less where they are shorter. */
const STOPPED_MS = LONG ? 90_000 : 4_500;

testEachStep({
  name: 'SIGSTOP',
  silences: (daemon) => daemon === 'jobs',
  async strike(replicas, afterwards) {
    for (const process of replicas) process.signal('SIGSTOP');
    afterwards();
    // The fault is that nothing happens for a while; it ends when the world heals.
    await delay(STOPPED_MS);
  },
});
