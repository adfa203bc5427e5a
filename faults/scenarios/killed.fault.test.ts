import { testEachStep } from './test-each-step.ts';

testEachStep({
  name: 'SIGKILL',
  // What was under way is lost, and the door says so at once: a connection is refused or reset.
  silences: () => false,
  async strike(replicas, afterwards) {
    for (const process of replicas) process.signal('SIGKILL');
    afterwards();
  },
});
