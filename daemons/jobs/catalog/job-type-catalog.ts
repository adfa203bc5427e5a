import { JobType } from '@jobber/db/jobs';
import { refuse } from '@jobber/shared/errors';
import type { MikroORM } from '@mikro-orm/postgresql';
import { printableName } from '../input/printable-name.ts';
import { type CheckItem, compileItemCheck } from './check-items.ts';
import { typeKey } from './type-key.ts';

export interface CatalogEntry {
  readonly type: JobType;
  readonly checkItem: CheckItem;
}

/** The job types that executors have offered. */
export interface JobTypeCatalog {
  /** Finds a type by name or slug, any case. @throws AppError 404 JOB_TYPE_NOT_FOUND */
  find(name: string): Promise<CatalogEntry>;
  /** The same without waiting; undefined when it takes a look at the database. */
  known(name: string): CatalogEntry | undefined;
  /** Reads the types again where that is due, as `bySlug` does: after that `lastSeen` is as good, for many at once. */
  refresh(): Promise<void>;
  /** The type of this slug as it was last read, also when it is not offered any more. */
  bySlug(slug: string): Promise<CatalogEntry | undefined>;
  /** The same without a look at the database: undefined when it was never read. */
  lastSeen(slug: string): JobType | undefined;
  /** Whether all executors that offer this type follow each task which a hint names, as it was last read. */
  followsMore(slug: string): boolean;
  all(): Promise<JobType[]>;
  /** The catalog has changed: read it again before the next use. */
  invalidate(): void;
}

/** Other replicas' changes are seen after this many milliseconds at the latest. */
const MAX_AGE_MS = 2_000;
/** An executor offers its types every minute: one that has not for so long is gone. */
export const OFFER_FRESH_MS = 3 * 60_000;

export function createJobTypeCatalog(orm: MikroORM): JobTypeCatalog {
  let entries: CatalogEntry[] = [];
  /** By their keys, and as they are spelled most often: that saves making the key. */
  let named = new Map<string, CatalogEntry>();
  let readAt = Number.NEGATIVE_INFINITY;
  let changes = 0;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const changesBefore = changes;
    const types = await orm.em.fork().find(JobType, {}, { orderBy: { slug: 'asc' } });
    entries = types.map((type) => reuse(lookUp(type.slug), type));
    named = new Map(
      entries.flatMap((entry) => {
        const { name, slug } = entry.type;
        return [name, slug, typeKey(slug)].map((spelling) => [spelling, entry]);
      }),
    );
    // A change during the reading may have been missed.
    if (changes === changesBefore) readAt = performance.now();
  }

  function lookUp(name: string): CatalogEntry | undefined {
    return named.get(name) ?? named.get(typeKey(name));
  }

  function isFresh(maxAgeMs: number): boolean {
    return performance.now() - readAt <= maxAgeMs;
  }

  async function refresh(maxAgeMs: number): Promise<void> {
    if (isFresh(maxAgeMs)) return;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    await reading;
  }

  /** While the database is away, what was read before is good enough to describe tasks and jobs with. */
  async function refreshIfPossible(): Promise<void> {
    await refresh(MAX_AGE_MS).catch((error: unknown) => {
      if (entries.length === 0) throw error;
    });
  }

  return {
    async find(name) {
      await refresh(MAX_AGE_MS);
      const known = lookUp(name);
      if (known) return known;
      await refresh(0);
      return lookUp(name) ?? refuse('JOB_TYPE_NOT_FOUND', `Job not found: ${printableName(name)}`);
    },
    known: (name) => (isFresh(MAX_AGE_MS) ? lookUp(name) : undefined),
    refresh: refreshIfPossible,
    async bySlug(slug) {
      await refreshIfPossible();
      return lookUp(slug);
    },
    lastSeen: (slug) => lookUp(slug)?.type,
    followsMore(slug) {
      const type = lookUp(slug)?.type;
      if (!type) return false;
      return Date.now() - (type.singleHintsAt?.getTime() ?? Number.NEGATIVE_INFINITY) > OFFER_FRESH_MS;
    },
    async all() {
      await refreshIfPossible();
      return entries.map(({ type }) => type);
    },
    invalidate() {
      changes += 1;
      readAt = Number.NEGATIVE_INFINITY;
    },
  };
}

/** A compiled check is kept while the schema stays the same. */
function reuse(previous: CatalogEntry | undefined, type: JobType): CatalogEntry {
  const same =
    previous !== undefined && JSON.stringify(previous.type.inputSchema) === JSON.stringify(type.inputSchema);
  return { type, checkItem: same ? previous.checkItem : compileItemCheck(type.inputSchema) };
}
