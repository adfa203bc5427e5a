import { type TaskServices, UnavailableError } from '@jobber/job-types';
import type {
  CreateProductsRequest,
  ProductItem,
  ProductsServiceClient,
} from '@jobber/proto/products/v1/products';
import { AppErrorFromGrpc, deadline } from '@jobber/shared/grpc';
import { isPeerAway } from './is-peer-away.ts';

/** Writing the products of one task may take this long, in milliseconds. */
const CALL_MS = 30_000;
/** Of text in one message; the limit of gRPC is 8 MiB. A longer record travels alone. */
const MESSAGE_CHARS = 512 * 1024;

/** Writes products through Products, all of a task in one transaction. */
export function createProductWriter(
  client: Pick<ProductsServiceClient, 'createProducts'>,
): TaskServices['createProducts'] {
  return async (jobId, items, signal) => {
    try {
      const { outcomes } = await client.createProducts(messagesOf(jobId, items), deadline(CALL_MS, signal));
      return outcomes;
    } catch (error) {
      signal.throwIfAborted();
      const told = new AppErrorFromGrpc('Products', error);
      throw isPeerAway(error) ? new UnavailableError(told.message, { cause: error }) : told;
    }
  };
}

async function* messagesOf(
  jobId: number,
  items: readonly ProductItem[],
): AsyncGenerator<CreateProductsRequest, void, undefined> {
  let message: ProductItem[] = [];
  let chars = 0;
  for (const item of items) {
    const { name = '', category = '', description = '' } = item.record ?? {};
    const length = name.length + category.length + description.length + 100;
    if (message.length > 0 && chars + length > MESSAGE_CHARS) {
      yield { jobId, items: message };
      message = [];
      chars = 0;
    }
    message.push(item);
    chars += length;
  }
  yield { jobId, items: message };
}
