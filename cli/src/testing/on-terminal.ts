import { existsSync } from 'node:fs';
import { shim } from './test-cli.ts';

// util-linux's script makes a pseudo-terminal; where it is missing there is nothing to try it on.
export const script = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path));
if (!script) process.stderr.write('not tried, because there is no `script`: the CLI on a terminal\n');

/** The words that run the CLI on a pseudo-terminal of 100 columns, for `startProgram`. */
export function onTerminal(args: string): string[] {
  const command = `stty columns 100 rows 30; exec '${process.execPath}' '${shim}' ${args}`;
  return [script ?? '', '--quiet', '--return', '--command', command, '/dev/null'];
}
