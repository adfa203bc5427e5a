import type { JobType } from '@jobber/db/jobs';
import type { Pool } from 'pg';
import { againAfterDeadlock } from './run-batch.ts';

const UPDATED = [
  'name',
  'version',
  'description',
  'input_schema',
  'default_item',
  'items_per_task',
  'max_attempts',
  'backoff_ms',
  'max_backoff_ms',
  'timeout_ms',
  'max_items',
  'max_running',
] as const;

/** Of two versions the newer one is kept, in whatever order they are offered; each offer tells that the type is alive. */
const OFFER_JOB_TYPES = `
  insert into job_type (slug, ${UPDATED.join(', ')}, offered_at, single_hints_at)
  select slug, ${UPDATED.join(', ')}, now(), case when not $2::boolean then now() end from jsonb_to_recordset($1::jsonb) as offer(
    slug text, name text, version int, description text, input_schema jsonb, default_item jsonb, items_per_task int,
    max_attempts int, backoff_ms bigint, max_backoff_ms bigint, timeout_ms bigint, max_items int, max_running int)
  order by slug
  on conflict (slug) do update set offered_at = excluded.offered_at,
    single_hints_at = coalesce(excluded.single_hints_at, job_type.single_hints_at),
    ${UPDATED.map(
      (column) =>
        `${column} = case when excluded.version >= job_type.version then excluded.${column} else job_type.${column} end`,
    ).join(', ')}`;

/** A job type as an executor offers it; see the proto for the fields' meaning. */
export type OfferedType = Omit<JobType, 'offeredAt' | 'singleHintsAt'>;

/**
 * Adds job types to the catalog, or renews them. Of two offers of one type the last one counts.
 * @param followsMore whether who offers them follows all tasks that a hint names
 */
export async function offerJobTypes(
  pool: Pool,
  offers: readonly OfferedType[],
  followsMore: boolean,
): Promise<void> {
  const rows = new Map(offers.map((offer) => [offer.slug, toRow(offer)]));
  await againAfterDeadlock(() =>
    pool.query({
      name: 'offer-job-types',
      text: OFFER_JOB_TYPES,
      values: [JSON.stringify([...rows.values()]), followsMore],
    }),
  );
}

function toRow(offer: OfferedType) {
  return {
    slug: offer.slug,
    name: offer.name,
    version: offer.version,
    description: offer.description,
    input_schema: offer.inputSchema,
    default_item: offer.defaultItem,
    items_per_task: offer.itemsPerTask,
    max_attempts: offer.maxAttempts,
    backoff_ms: offer.backoffMs,
    max_backoff_ms: offer.maxBackoffMs,
    timeout_ms: offer.timeoutMs,
    max_items: offer.maxItems,
    max_running: offer.maxRunning,
  };
}
