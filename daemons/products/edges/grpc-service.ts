import {
  type ProductItem as ProductItemMessage,
  type ProductOutcome,
  type ProductRecord,
  ProductsServiceDefinition,
  type ProductsServiceImplementation,
} from '@jobber/proto/products/v1/products';
import { refuse } from '@jobber/shared/errors';
import { createGroupCommit } from '@jobber/shared/group-commit';
import type { ServedService } from '@jobber/shared/grpc';
import type { ProductItem } from '../effect.ts';
import type { ItemOutcome, WriteProducts } from '../use-cases/write-products.ts';

/** Items of one call at most: they are held until they are written together. */
const MAX_ITEMS = 5_000;
/** Text of one call at most, for the same reason. Tasks have less: Jobs cuts them to 4 MiB of their input. */
const MAX_TEXT_BYTES = 8 * 1_024 * 1_024;
const MAX_INDEX = 2_147_483_647;

/** Only executors write products. */
const CALLERS = ['executor'] as const;

export function productsGrpcService(writeProducts: WriteProducts): ServedService {
  // Single products that arrive together are written together.
  const singles = createGroupCommit<ProductItem, ItemOutcome>({
    run: writeProducts,
    maxBatch: 500,
    concurrency: 2,
  });

  const implementation: ProductsServiceImplementation = {
    async createProduct({ jobId, itemIndex, record }) {
      const outcome = await singles.submit(toItem(jobId, { itemIndex, record }));
      return { outcome: toMessage(itemIndex, outcome) };
    },

    async createProducts(requests) {
      const items: ProductItem[] = [];
      let job: number | undefined;
      let textBytes = 0;
      for await (const { jobId, items: messages } of requests) {
        if (items.length + messages.length > MAX_ITEMS) {
          refuse('TOO_LARGE', `One call takes at most ${MAX_ITEMS} items`, { limit: MAX_ITEMS });
        }
        job ??= jobId;
        if (jobId !== job) refuse('INVALID_INPUT', 'All messages of a call must name the same job');
        for (const message of messages) {
          const item = toItem(jobId, message);
          items.push(item);
          textBytes += textBytesOf(item.record);
        }
        if (textBytes > MAX_TEXT_BYTES) {
          refuse('TOO_LARGE', `One call takes at most ${MAX_TEXT_BYTES} bytes of text`, {
            limit: MAX_TEXT_BYTES,
          });
        }
      }
      const outcomes = await writeProducts(items);
      return { outcomes: outcomes.map((outcome, i) => toMessage(items[i]?.itemIndex ?? 0, outcome)) };
    },
  };
  return {
    definition: ProductsServiceDefinition,
    implementation,
    callers: { CreateProduct: CALLERS, CreateProducts: CALLERS },
  };
}

function toItem(jobId: number, { itemIndex, record }: Partial<ProductItemMessage>): ProductItem {
  if (!Number.isSafeInteger(jobId) || jobId < 1) refuse('INVALID_INPUT', 'job_id must be the id of a job');
  if (itemIndex === undefined || itemIndex < 0 || itemIndex > MAX_INDEX) {
    refuse('INVALID_INPUT', `item_index must be a whole number from 0 to ${MAX_INDEX}`);
  }
  if (!record) refuse('INVALID_INPUT', `Item ${itemIndex} has no record`);
  return { jobId, itemIndex, record };
}

function textBytesOf({ name, category, price, rating, description, sku = '' }: ProductRecord): number {
  return [name, category, price, rating, description, sku].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    0,
  );
}

function toMessage(itemIndex: number, outcome: ItemOutcome): ProductOutcome {
  return 'refusal' in outcome
    ? { itemIndex, outcome: { $case: 'refused', value: outcome.refusal } }
    : { itemIndex, outcome: { $case: 'written', value: outcome.effect } };
}
