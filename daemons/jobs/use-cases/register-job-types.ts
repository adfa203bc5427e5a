import { refuse } from '@jobber/shared/errors';
import type { Pool } from 'pg';
import { compileItemCheck } from '../catalog/check-items.ts';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import { typeKey } from '../catalog/type-key.ts';
import { type OfferedType, offerJobTypes } from '../transitions/offer-job-types.ts';

const NAME = /^[A-Za-z][A-Za-z0-9]{0,63}$/;
const SLUG = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const DAY_MS = 24 * 60 * 60 * 1_000;
const MAX_VERSION = 2_147_483_647;

/**
 * Adds what an executor offers to the catalog. Of two versions of a type the newer one is kept, so that old executors
 * do not undo a rolling upgrade.
 * @param followsMore whether the executor follows all tasks that a hint names
 * @throws AppError 400 INVALID_INPUT
 */
export async function registerJobTypes(
  { pool, catalog }: { pool: Pool; catalog: JobTypeCatalog },
  offers: readonly OfferedType[],
  followsMore: boolean,
): Promise<string[]> {
  for (const offer of offers) checkOffer(offer);
  await offerJobTypes(pool, offers, followsMore);
  catalog.invalidate();
  return offers.map(({ slug }) => slug);
}

function checkOffer(offer: OfferedType): void {
  const { name, slug } = offer;
  if (!NAME.test(name))
    refuse(
      'INVALID_INPUT',
      `A job type's name must look like LoadProducts, got ${JSON.stringify(name.slice(0, 80))}`,
    );
  if (!SLUG.test(slug) || typeKey(slug) !== typeKey(name)) {
    refuse(
      'INVALID_INPUT',
      `The slug of ${name} must be its name in kebab case, got ${JSON.stringify(slug.slice(0, 80))}`,
    );
  }
  inRange(offer, 'version', 0, MAX_VERSION);
  inRange(offer, 'itemsPerTask', 1, 10_000);
  inRange(offer, 'maxItems', 1, 10_000_000);
  inRange(offer, 'maxRunning', 0, 1_000_000);
  inRange(offer, 'maxAttempts', 1, 100);
  inRange(offer, 'backoffMs', 0, DAY_MS);
  inRange(offer, 'maxBackoffMs', 0, 7 * DAY_MS);
  inRange(offer, 'timeoutMs', 1, 7 * DAY_MS);
  try {
    compileItemCheck(offer.inputSchema);
  } catch (error) {
    refuse('INVALID_INPUT', `The input schema of ${name} is not a valid JSON Schema: ${String(error)}`);
  }
}

type NumericField =
  | 'version'
  | 'itemsPerTask'
  | 'maxItems'
  | 'maxRunning'
  | 'maxAttempts'
  | 'backoffMs'
  | 'maxBackoffMs'
  | 'timeoutMs';

function inRange(offer: OfferedType, field: NumericField, min: number, max: number): void {
  const value = offer[field];
  if (Number.isInteger(value) && value >= min && value <= max) return;
  refuse(
    'INVALID_INPUT',
    `${field} of ${offer.name} must be a whole number from ${min} to ${max}, got ${value}`,
  );
}
