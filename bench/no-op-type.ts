import type { JobType } from '@jobber/job-types';

/**
 * A job type that does nothing, so that what is measured is the engine. It stands in a module of its own, as a user's
 * types do, and `jobber up` gets it by JOBBER_JOB_TYPES. It runs inline: a message to a worker thread and back costs more
 * than the whole handler.
 */
const noOp: JobType = {
  name: 'NoOp',
  slug: 'no-op',
  version: 1,
  description: 'Does nothing.',
  inputSchema: { type: 'object', additionalProperties: false },
  defaultItem: {},
  itemsPerTask: 500,
  retry: { maxAttempts: 3, backoffMs: 1_000, maxBackoffMs: 60_000 },
  limits: { timeoutMs: 60_000, maxItems: 100_000 },
  runs: 'inline',
  async run({ items }) {
    return { items: items.map(() => ({ status: 'succeeded' })) };
  },
};

export const jobTypes = [noOp];
