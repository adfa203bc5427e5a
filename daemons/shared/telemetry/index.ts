import { Hono } from 'hono';
import { type Counter, collectDefaultMetrics, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Buckets for durations in seconds, from 1 ms to 30 s. */
export const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** A registry with the process's own metrics, every series labelled with the daemon. */
export function createMetrics(daemon: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ daemon });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Counts many things by a label of each: a counter that is told of one after the other looks for its series each time. */
export function countEach<Label extends string, Thing>(
  counter: Counter<Label>,
  label: Label,
  things: Iterable<Thing>,
  labelOf: (thing: Thing) => string,
): void {
  const counts = new Map<string, number>();
  for (const thing of things) {
    const value = labelOf(thing);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  for (const [value, count] of counts) counter.inc({ [label]: value } as Record<Label, string>, count);
}

/** `/metrics` in Prometheus' text format. It stands outside `/<daemon>`, so that an ingress by prefix does not show it. */
export function metricsRoute(registry: Registry): Hono {
  const app = new Hono();
  app.get('/metrics', async (c) => {
    c.header('content-type', registry.contentType);
    return c.body(await registry.metrics());
  });
  return app;
}
