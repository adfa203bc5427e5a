import { dirname, join } from 'node:path';
import { REPOSITORY } from './platform.ts';
import { mustRun } from './run-command.ts';

/**
 * Runs a command of the CLI with `--json`, as somebody whose settings are in `home`.
 * @returns what it printed
 */
export function runCli(home: string, args: readonly string[], input = ''): Promise<string> {
  const env = { PATH: dirname(process.execPath), HOME: home, JOBBER_HOME: home };
  const program = join(REPOSITORY, 'cli/bin/jobber.js');
  return mustRun(process.execPath, [program, ...args, '--json'], { env, input });
}
