import { JobType } from '@jobber/db/jobs';
import { refuse } from '@jobber/shared/errors';
import type { MikroORM } from '@mikro-orm/postgresql';
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
  /** The type of this slug as it was last read, also when it is not offered any more. */
  bySlug(slug: string): Promise<CatalogEntry | undefined>;
  all(): Promise<JobType[]>;
  /** The catalog has changed: read it again before the next use. */
  invalidate(): void;
}

/** Other replicas' changes are seen after this many milliseconds at the latest. */
const MAX_AGE_MS = 2_000;

export function createJobTypeCatalog(orm: MikroORM): JobTypeCatalog {
  let entries = new Map<string, CatalogEntry>();
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const types = await orm.em.fork().find(JobType, {}, { orderBy: { slug: 'asc' } });
    entries = new Map(
      types.map((type) => [typeKey(type.slug), reuse(entries.get(typeKey(type.slug)), type)]),
    );
    readAt = performance.now();
  }

  async function refresh(maxAgeMs: number): Promise<void> {
    if (performance.now() - readAt <= maxAgeMs) return;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    await reading;
  }

  return {
    async find(name) {
      await refresh(MAX_AGE_MS);
      const known = entries.get(typeKey(name));
      if (known) return known;
      await refresh(0);
      return entries.get(typeKey(name)) ?? refuse('JOB_TYPE_NOT_FOUND', `Job not found: ${shorten(name)}`);
    },
    async bySlug(slug) {
      await refresh(MAX_AGE_MS);
      return entries.get(typeKey(slug));
    },
    async all() {
      await refresh(MAX_AGE_MS);
      return [...entries.values()].map(({ type }) => type);
    },
    invalidate() {
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

function shorten(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}
