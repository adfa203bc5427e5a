import { JobsServiceDefinition } from '@jobber/proto/jobs/v1/jobs';
import { ProductsServiceDefinition } from '@jobber/proto/products/v1/products';
import { loadWork } from '../load/workloads.ts';
import type { World } from '../platform/world.ts';
import { type MessageFault, startGrpcRelay } from '../proxy/grpc-relay.ts';

export interface MessageEdge {
  readonly edge: 'executor-jobs' | 'executor-products';
  readonly method: string;
  readonly fault: MessageFault;
}

/** The fault lasts as long as its work; a build that is broken on purpose may never have done with it. */
const REST_MS = 20_000;

/** Leads an edge through a relay that doubles or reorders the calls of one method, while `work` lasts. */
export async function withMessageFault(
  world: World,
  { edge, method, fault }: MessageEdge,
  work: () => Promise<unknown>,
): Promise<void> {
  const { platform, during } = world;
  const toJobs = edge === 'executor-jobs';
  const target = toJobs ? platform.jobsGrpcPort : platform.productsGrpcPort;
  const relay = await startGrpcRelay(toJobs ? JobsServiceDefinition : ProductsServiceDefinition, target);
  try {
    await during({ name: `${method} ${fault}` }, async () => {
      relay.inject(method, fault);
      platform.edges[edge].leadTo(relay.port);
      await work();
      await world.comeToRest(REST_MS);
    });
    if (relay.hits() === 0) throw new Error(`No call of ${method} was ${fault}.`);
  } finally {
    platform.edges[edge].leadTo(target);
    await relay.close();
  }
}

/** Each outcome arrives again after it was stored, while other tasks of the same job still run. */
export async function repeatAcknowledgements(world: World): Promise<void> {
  await withMessageFault(
    world,
    { edge: 'executor-jobs', method: 'acknowledgeJob', fault: 'repeated' },
    async () => {
      const items = Array.from({ length: 6 }, (_, index) => ({ ms: 100 + 200 * index }));
      await world.submitter.submit({ name: 'Doze', slug: 'doze', items });
    },
  );
}

/** Each call that writes products is made twice. */
export async function doubleProducts(world: World): Promise<void> {
  await withMessageFault(
    world,
    { edge: 'executor-products', method: 'createProducts', fault: 'doubled' },
    async () => {
      await world.submitter.submit(loadWork(world.random, 30));
    },
  );
}
