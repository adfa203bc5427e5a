import { Counter, DURATION_BUCKETS, Histogram, type Registry } from '@jobber/shared/telemetry';
import type { WriteProducts } from './use-cases/write-products.ts';

export function createProductsMetrics(registry: Registry) {
  const registers = [registry];
  return {
    items: new Counter({
      name: 'jobber_products_items_total',
      help: 'Items that asked for a product, by what became of them',
      labelNames: ['outcome'],
      registers,
    }),
    writeSeconds: new Histogram({
      name: 'jobber_products_write_seconds',
      help: 'Time to write the products of one call',
      buckets: DURATION_BUCKETS,
      registers,
    }),
  };
}

export function countWrites(
  writeProducts: WriteProducts,
  metrics: ReturnType<typeof createProductsMetrics>,
): WriteProducts {
  return async (items) => {
    const stop = metrics.writeSeconds.startTimer();
    const outcomes = await writeProducts(items).finally(stop);
    for (const outcome of outcomes) {
      const label = 'refusal' in outcome ? 'refused' : outcome.effect.created ? 'created' : 'updated';
      metrics.items.inc({ outcome: label });
    }
    return outcomes;
  };
}
