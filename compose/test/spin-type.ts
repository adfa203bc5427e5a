// For measure-scale.ts: a job type of nothing but work for the processor, always the same, whose outcome is small. It is
// mounted into the executors, so it imports nothing.

/** About 10 ms. */
const STEPS = 10_000_000;

function spin(): number {
  let value = 1;
  for (let step = 0; step < STEPS; step += 1) value = (Math.imul(value, 1_664_525) + 1_013_904_223) | 0;
  return value;
}

const type = {
  name: 'Spin',
  slug: 'spin',
  version: 1,
  description: 'Counts.',
  inputSchema: { type: 'object', additionalProperties: false },
  defaultItem: {},
  itemsPerTask: 10,
  retry: { maxAttempts: 3, backoffMs: 1_000, maxBackoffMs: 60_000 },
  limits: { timeoutMs: 60_000, maxItems: 100_000 },
  runs: 'thread',
  async run({ items }: { items: readonly unknown[] }) {
    return { items: items.map(() => ({ status: 'succeeded', result: { value: spin() } })) };
  },
};

export const jobTypes = [type];
