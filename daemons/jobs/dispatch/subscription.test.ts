import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FIRST_OWNER } from '../transitions/choose-fairly.ts';
import type { Claimed } from '../transitions/claim-tasks.ts';
import type { StartedTask } from '../transitions/started-task.ts';
import { createSubscription } from './subscription.ts';

function started(jobId: number): StartedTask {
  return {
    jobId,
    seq: 0,
    attempt: 1,
    type: 'echo',
    ownerId: FIRST_OWNER,
    firstItem: 0,
    itemCount: 1,
    decidedOffsets: [],
    interruptions: 0,
    traceparent: null,
    items: '[{}]',
    upload: null,
    timeoutMs: null,
  };
}

/** What has been delivered is taken. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** A database of tasks that are only numbers, claimed by one subscription and taken by one executor. */
function createWorld() {
  let lastId = 0;
  let ready: number[] = [];
  const claims: { readonly limit: number; answer(claimed: Claimed): void }[] = [];
  const taken: number[] = [];
  const givenBack: number[] = [];
  let granted = 0;
  let placed = 0;
  const gone = new AbortController();
  const subscription = createSubscription(
    { executorId: 'executor-1', types: ['echo'], gone: gone.signal },
    {
      claim: ({ limit }) => new Promise((answer) => void claims.push({ limit, answer })),
      async giveBack(tasks) {
        givenBack.push(...tasks.map(({ jobId }) => jobId));
      },
      onBegin() {},
      onEnd() {},
    },
  );
  const receiving = (async () => {
    for await (const tasks of subscription.tasks()) taken.push(...tasks.map(({ jobId }) => jobId));
  })();

  return {
    subscription,
    claims,
    taken,
    givenBack,
    gone,
    receiving,
    sum: () => ({ granted, placed, taken: taken.length, accepted: lastId, ready: ready.length }),
    grant(credit: number) {
      granted += credit;
      subscription.grant(credit);
    },
    accept(count: number) {
      for (let n = 0; n < count; n += 1) ready.push(++lastId);
      subscription.onReady(new Set(['echo']));
    },
    /** Like a claim, a place starts a task; unlike it, only while none wait. */
    place() {
      if (!subscription.reserve('echo')) return false;
      placed += 1;
      subscription.deliver(started(++lastId));
      return true;
    },
    cancelPlace() {
      if (subscription.reserve('echo')) subscription.grant(1);
    },
    /** The database answers the claim that is under way: `part` of what it may take, or nothing because it is away. */
    async answer(part: number) {
      const claim = claims.shift();
      if (!claim) return;
      const count = Math.min(ready.length, Math.ceil(claim.limit * part));
      const tasks = ready.slice(0, count).map(started);
      ready = ready.slice(count);
      claim.answer({ tasks, more: count > 0 && ready.length > 0, lastOwner: FIRST_OWNER });
      await settle();
    },
  };
}

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('grant' as const), n: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant('accept' as const), n: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ do: fc.constant('place' as const) }),
    fc.record({ do: fc.constant('cancelPlace' as const) }),
    fc.record({ do: fc.constant('answer' as const), part: fc.constantFrom(0.01, 0.5, 1) }),
  ),
  { maxLength: 60 },
);

test('an executor gets as many tasks as it has granted credit for, and never waits beside ready ones', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (asked) => {
      const world = createWorld();
      await Promise.resolve();
      for (const step of asked) {
        if (step.do === 'grant') world.grant(step.n);
        else if (step.do === 'accept') world.accept(step.n);
        else if (step.do === 'answer') await world.answer(step.part);
        else world[step.do]();
        await settle();
        const { granted, taken, accepted } = world.sum();
        expect(taken).toBeLessThanOrEqual(granted);
        expect(new Set(world.taken).size).toBe(world.taken.length);
        expect(taken).toBeLessThanOrEqual(accepted);
        // One claim at a time, and none for more than the credit that is left.
        expect(world.claims.length).toBeLessThanOrEqual(1);
        for (const { limit } of world.claims) expect(limit).toBeLessThanOrEqual(granted - taken);
      }
      for (let turn = 0; turn < 500 && world.claims.length > 0; turn += 1) await world.answer(1);
      const { granted, taken, ready } = world.sum();
      expect(taken).toBe(Math.min(granted, taken + ready));
      // What is left of the credit is still good for tasks.
      world.accept(granted - taken);
      for (let turn = 0; turn < 500 && world.claims.length > 0; turn += 1) await world.answer(1);
      expect(world.taken).toHaveLength(granted);
      world.gone.abort();
      await world.receiving;
      expect(world.givenBack).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('tasks that are claimed while the executor goes away are given back, and none is told', async () => {
  const world = createWorld();
  world.grant(3);
  world.accept(2);
  world.gone.abort();
  await world.answer(1);
  await world.receiving;
  expect({ taken: world.taken, givenBack: world.givenBack }).toEqual({ taken: [], givenBack: [1, 2] });
});

test('a place that is filled after the executor has gone away is given back', async () => {
  const world = createWorld();
  world.grant(2);
  await world.answer(1);
  expect(world.subscription.reserve('echo')).toBe(true);
  expect(world.subscription.reserve('other')).toBe(false);
  world.gone.abort();
  world.subscription.deliver(started(7));
  await world.receiving;
  expect(world.givenBack).toEqual([7]);
});

test('no place is given while tasks may wait, without credit, or after the end', async () => {
  const world = createWorld();
  expect(world.place()).toBe(false);
  world.grant(1);
  expect(world.place()).toBe(false);
  await world.answer(1);
  expect(world.place()).toBe(true);
  expect(world.place()).toBe(false);
  world.grant(1);
  world.subscription.close();
  expect(world.place()).toBe(false);
  await world.receiving;
});
