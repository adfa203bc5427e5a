import { Config } from '@oclif/core/config';
import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';
import { arrangeArguments } from './arrange-arguments.ts';
import { describeError } from './describe-error.ts';
import { EXIT, Failure, interrupted } from './failure.ts';
import { printFailure } from './render/failure.ts';
import { reasonOf } from './session/folder.ts';
import { refuseUnknownCommand } from './unknown-command.ts';

/**
 * Runs one command. Sets the process's exit code.
 *
 * @param root the folder of package.json and oclif.manifest.json
 * @param args as typed, without the program's name
 */
export async function main(root: string, args: string[]): Promise<void> {
  // Node itself runs TypeScript.
  settings.enableAutoTranspile = false;
  const argv = arrangeArguments(args);
  process.on('SIGINT', () => endIfNobodyElseWill(argv));
  // Before oclif's own listener, which throws what it does not expect.
  process.stdout.prependListener('error', endWithoutOutput);
  try {
    const config = await Config.load({ root });
    refuseUnknownCommand(config, argv);
    await run(argv, config);
  } catch (error) {
    const failure = describeError(error);
    if (failure.exitCode !== EXIT.ok) printFailure(failure, wantsJson(argv));
    process.exitCode = failure.exitCode;
  }
}

/** Where the output goes to can't take it: that is told on stderr, with --json as well. A reader that has gone has seen enough. */
function endWithoutOutput(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  const message = `The output can't be written: ${reasonOf(error)}`;
  printFailure(
    new Failure(message, { exitCode: EXIT.jobFailed, reason: 'OUTPUT_FAILED', cause: error }),
    false,
  );
  process.exit(EXIT.jobFailed);
}

/** Ctrl-C where a command has nothing to say about it: before or after its work. */
function endIfNobodyElseWill(argv: readonly string[]): void {
  if (process.listenerCount('SIGINT') > 1) return;
  printFailure(interrupted('Interrupted'), wantsJson(argv));
  process.exit(EXIT.interrupted);
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}
