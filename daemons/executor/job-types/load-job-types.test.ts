import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '@jobber/shared/config';
import { afterAll, expect, test } from 'vitest';
import { POISON_TYPES } from '../testing/test-executor.ts';
import { loadJobTypes, resolveModules } from './load-job-types.ts';

const folder = mkdtempSync(join(tmpdir(), 'jobber-types-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, source: string): string {
  writeFileSync(join(folder, name), source);
  return pathToFileURL(join(folder, name)).href;
}

const SOUND = `{
  name: 'ResizeImage', slug: 'resize-image', version: 1, description: 'Resizes an image',
  inputSchema: { type: 'object' }, itemsPerTask: 1, retry: { maxAttempts: 3, backoffMs: 0, maxBackoffMs: 0 },
  limits: { timeoutMs: 1000, maxItems: 10 }, runs: 'thread', async run() { return { items: [] } },
}`;

const problemsOf = (source: string, name: string) =>
  loadJobTypes([write(name, source)]).then(
    () => [],
    (error: ConfigError) => {
      expect(error).toBeInstanceOf(ConfigError);
      return error.problems.map((problem) => problem.replace(/^JOBBER_JOB_TYPES file:\S+ ?/, ''));
    },
  );

test("a user's job types stand beside those that come with jobber", async () => {
  const types = await loadJobTypes([write('sound.mjs', `export const jobTypes = [${SOUND}]`), POISON_TYPES]);
  const slugs = types.map(({ slug }) => slug);
  expect(slugs).toEqual(expect.arrayContaining(['fibonacci', 'resize-image', 'echo']));
});

test('a module without job types is refused', async () => {
  expect(await problemsOf('export default 1', 'none.mjs')).toEqual([
    'must export `jobTypes`, an array of job types',
  ]);
});

test('all that is wrong with a job type is said at once, with its place', async () => {
  const problems = await problemsOf(
    `export const jobTypes = [{ ...${SOUND}, version: 0, runs: 'somewhere', retry: { maxAttempts: 1.5 } }, 7]`,
    'wrong.mjs',
  );
  expect(problems).toEqual([
    'jobTypes[0].version must be a whole number from 1 to 2147483647',
    'jobTypes[0].retry.maxAttempts must be a whole number from 1 to 100',
    'jobTypes[0].retry.backoffMs must be a whole number from 0 to 86400000',
    'jobTypes[0].retry.maxBackoffMs must be a whole number from 0 to 604800000',
    'jobTypes[0].runs must be thread, inline or process',
    'jobTypes[1] must be a job type',
  ]);
});

test('names that are taken, or that do not belong together, are refused', async () => {
  expect(
    await problemsOf(
      `const type = ${SOUND};
      export const jobTypes = [type, type, { ...type, name: 'Fibonacci' }, { ...type, name: 'Other', slug: 'another' }]`,
      'names.mjs',
    ),
  ).toEqual([
    'jobTypes[1]: the name ResizeImage or the slug resize-image is taken',
    'jobTypes[2]: the name Fibonacci or the slug resize-image is taken',
    'jobTypes[3].slug must be the name in kebab case: Other and another do not belong together',
  ]);
});

test('the memory of a handler is a limit that can be kept', async () => {
  expect(
    await problemsOf(
      `const type = ${SOUND};
      export const jobTypes = [
        { ...type, runs: 'process', memoryMb: 32 },
        { ...type, name: 'Small', slug: 'small', memoryMb: 8 },
        { ...type, name: 'Inline', slug: 'inline', runs: 'inline', memoryMb: 64 },
      ]`,
      'memory.mjs',
    ),
  ).toEqual([
    'jobTypes[1].memoryMb must be a whole number from 16 to 65536',
    "jobTypes[2].memoryMb can't be kept by a handler that runs inline: it shares the daemon's memory",
  ]);
});

test('a module that can not be loaded is named with the reason', async () => {
  expect(await problemsOf('throw new Error("no licence")', 'throws.mjs')).toEqual([
    "can't be loaded: no licence",
  ]);
  await expect(loadJobTypes([pathToFileURL(join(folder, 'missing.mjs')).href])).rejects.toThrow(
    /JOBBER_JOB_TYPES file:.*missing\.mjs can't be loaded/,
  );
});

test('modules are paths from the folder where the executor runs, or packages that are installed there', () => {
  expect(resolveModules('', folder)).toEqual([]);
  expect(resolveModules(' ./a.ts, /b.mjs,file:///c.mjs ', folder)).toEqual([
    pathToFileURL(join(folder, 'a.ts')).href,
    'file:///b.mjs',
    'file:///c.mjs',
  ]);
  expect(resolveModules('zod', import.meta.dirname)[0]).toMatch(/^file:.*\/node_modules\/zod\//);
  expect(() => resolveModules('no-such-package', folder)).toThrow(
    /JOBBER_JOB_TYPES must name paths such as \.\/types\.ts or installed packages; no-such-package: /,
  );
});
