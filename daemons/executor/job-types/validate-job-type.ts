import type { JobType } from '@jobber/job-types';
import { z } from 'zod';

const DAY_MS = 24 * 60 * 60 * 1_000;
const whole = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
};

const SHAPE = z.object(
  {
    name: z.string('must be a text').regex(/^[A-Z][A-Za-z0-9]{0,63}$/, 'must look like LoadProducts'),
    slug: z.string('must be a text').regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'must look like load-products'),
    version: whole(1, 2 ** 31 - 1),
    description: z
      .string('must be a text')
      .min(1, 'must not be empty')
      .max(1_000, 'must have at most 1000 characters'),
    inputSchema: z
      .record(z.string(), z.unknown(), 'must be a JSON Schema')
      .refine((schema) => schema['type'] === 'object', 'must be a JSON Schema of type object'),
    itemsPerTask: whole(1, 10_000),
    retry: z.object(
      { maxAttempts: whole(1, 100), backoffMs: whole(0, DAY_MS), maxBackoffMs: whole(0, 7 * DAY_MS) },
      'must have maxAttempts, backoffMs and maxBackoffMs',
    ),
    limits: z.object(
      {
        timeoutMs: whole(1, 7 * DAY_MS),
        maxItems: whole(1, 10_000_000),
        maxRunning: whole(0, 1_000_000).optional(),
      },
      'must have timeoutMs and maxItems',
    ),
    runs: z.enum(['thread', 'inline', 'process'], 'must be thread, inline or process'),
    memoryMb: whole(16, 65_536).optional(),
    run: z.custom((value) => typeof value === 'function', 'must be a function'),
  },
  'must be a job type',
);

/**
 * What is wrong with the job types that a module exports, one sentence a problem; empty when nothing is.
 * @param exported the module's `jobTypes`
 * @param known job types whose names are taken
 */
export function jobTypeProblems(exported: unknown, known: readonly JobType[]): string[] {
  if (!Array.isArray(exported)) return ['must export `jobTypes`, an array of job types'];
  const taken = new Set(known.flatMap(({ name, slug }) => [name, slug]));
  return exported.flatMap((type: unknown, index) => {
    const at = `jobTypes[${index}]`;
    const parsed = SHAPE.safeParse(type);
    if (!parsed.success) {
      return parsed.error.issues.map(({ path, message }) => `${[at, ...path].join('.')} ${message}`);
    }
    const { name, slug, runs, memoryMb } = parsed.data;
    if (taken.has(name) || taken.has(slug)) return [`${at}: the name ${name} or the slug ${slug} is taken`];
    taken.add(name).add(slug);
    if (runs === 'inline' && memoryMb !== undefined) {
      return [`${at}.memoryMb can't be kept by a handler that runs inline: it shares the daemon's memory`];
    }
    if (slug.replaceAll('-', '') !== name.toLowerCase()) {
      return [`${at}.slug must be the name in kebab case: ${name} and ${slug} do not belong together`];
    }
    return [];
  });
}
