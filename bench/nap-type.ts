import type { JobType } from '@jobber/job-types';

/** A job type that waits: how many of its tasks run at once shows how many executors have got work. */
const nap: JobType<{ readonly ms: number }> = {
  name: 'Nap',
  slug: 'nap',
  version: 1,
  description: 'Waits for some milliseconds.',
  inputSchema: {
    type: 'object',
    properties: { ms: { type: 'integer', minimum: 0, maximum: 10_000 } },
    required: ['ms'],
    additionalProperties: false,
  },
  defaultItem: { ms: 50 },
  itemsPerTask: 1,
  retry: { maxAttempts: 3, backoffMs: 1_000, maxBackoffMs: 60_000 },
  limits: { timeoutMs: 60_000, maxItems: 100_000 },
  runs: 'inline',
  async run({ items }) {
    for (const { value } of items) await new Promise((resolve) => setTimeout(resolve, value.ms));
    return { items: items.map(() => ({ status: 'succeeded' })) };
  },
};

export const jobTypes = [nap];
