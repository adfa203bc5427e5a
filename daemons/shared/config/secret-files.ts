import { readFileSync } from 'node:fs';
import { ConfigError } from './load-config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Of the text that a file may hold, in characters: no secret is that long, and a file named by mistake may be. */
const MAX_LENGTH = 65_536;

/**
 * The environment in which each of `variables` that is not set has the content of the file that `<variable>_FILE` names,
 * without the line break at its end: so a secret need not stand in an environment, which others can often see.
 * @throws ConfigError that names every `_FILE` variable that is set beside its variable, can't be read, or holds nothing
 */
export function withSecretFiles(variables: readonly string[], environment: Environment): Environment {
  const problems: string[] = [];
  const read: Record<string, string> = {};
  for (const variable of variables) {
    const fileVariable = `${variable}_FILE`;
    const path = environment[fileVariable];
    if (!path) continue;
    if (environment[variable]) {
      problems.push(`${variable} and ${fileVariable} must not both be set`);
      continue;
    }
    const content = readText(path);
    if ('problem' in content) problems.push(`${fileVariable} must name a readable file; ${content.problem}`);
    else read[variable] = content.text;
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.keys(read).length > 0 ? { ...environment, ...read } : environment;
}

function readText(path: string): { text: string } | { problem: string } {
  try {
    const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (text === '') return { problem: 'it is empty' };
    return text.length > MAX_LENGTH ? { problem: `it has more than ${MAX_LENGTH} characters` } : { text };
  } catch (error) {
    return { problem: `got ${(error as NodeJS.ErrnoException).code}` };
  }
}
