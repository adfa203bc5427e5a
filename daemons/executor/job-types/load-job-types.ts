import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { jobTypes as builtIn, type JobType } from '@jobber/job-types';
import { ConfigError } from '@jobber/shared/config';
import { describeUnknownError } from '@jobber/shared/errors';
import { jobTypeProblems } from './validate-job-type.ts';

/**
 * The built-in job types and those of the user's modules.
 * @param modules URLs of files, as `resolveModules` gives them
 * @throws ConfigError that names every problem at once
 */
export async function loadJobTypes(modules: readonly string[]): Promise<readonly JobType[]> {
  const types: JobType[] = [...builtIn];
  const problems: string[] = [];
  for (const module of modules) {
    try {
      const { jobTypes } = (await import(module)) as { jobTypes?: unknown };
      const found = jobTypeProblems(jobTypes, types);
      if (found.length === 0) types.push(...(jobTypes as JobType[]));
      problems.push(...found.map((problem) => `JOBBER_JOB_TYPES ${module}: ${problem}`));
    } catch (error) {
      problems.push(`JOBBER_JOB_TYPES ${module} can't be loaded: ${describeUnknownError(error)}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return types;
}

/**
 * What JOBBER_JOB_TYPES names: paths of files, or packages that are installed where the executor runs.
 * @param list separated by commas
 * @throws ConfigError
 */
export function resolveModules(list: string, folder: string): string[] {
  const names = list.split(',').map((name) => name.trim());
  const problems: string[] = [];
  const modules = names.filter(Boolean).map((name) => {
    if (name.startsWith('file:')) return name;
    if (/^(\.{0,2}[/\\]|[A-Za-z]:\\)/.test(name)) return pathToFileURL(resolve(folder, name)).href;
    try {
      return pathToFileURL(createRequire(join(folder, 'package.json')).resolve(name)).href;
    } catch (error) {
      problems.push(
        `JOBBER_JOB_TYPES must name paths such as ./types.ts or installed packages; ${name}: ${describeUnknownError(error).split('\n')[0]}`,
      );
      return '';
    }
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return modules;
}
