import { CLIError, ExitError } from '@oclif/core/errors';
import { asTyped } from './environment.ts';
import { EXIT, Failure, interrupted, usageFailure } from './failure.ts';
import { cleanText } from './render/clean-text.ts';
import { didYouMean } from './suggest.ts';

/** What oclif's parser throws; it does not export these classes, so they are known by name. */
interface ParseError extends Error {
  readonly flags?: string[];
  readonly args?: (string | { name: string })[];
  readonly parse?: { input?: { flags?: Record<string, unknown>; context?: { id?: string } } };
}

/** Whatever a command threw, as a Failure; the one place where foreign errors are understood. */
export function describeError(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof ExitError) {
    return new Failure('', { exitCode: error.oclif.exit === 0 ? EXIT.ok : EXIT.usage, reason: 'EXIT' });
  }
  if (!(error instanceof Error)) return internalError(error);
  // The prompt's, when Ctrl-C is pressed or the terminal goes away.
  if (error.name === 'ExitPromptError' || error.name === 'AbortPromptError')
    return interrupted('Interrupted');
  return describeParseError(error) ?? internalError(error);
}

function describeParseError(error: ParseError): Failure | undefined {
  const help = helpHint(error);
  const first = (values: unknown[] | undefined) => cleanText(String(values?.[0] ?? '')).slice(0, 100);
  switch (error.constructor.name) {
    case 'NonExistentFlagsError': {
      const flag = first(error.flags).split('=', 1)[0] ?? '';
      const known = Object.keys(error.parse?.input?.flags ?? {});
      const meant = didYouMean(flag.replace(/^-+/, ''), known, '--');
      return usageFailure(`There is no flag ${flag}.${meant}${help}`, 'UNKNOWN_FLAG');
    }
    case 'RequiredArgsError': {
      const names = (error.args ?? []).map((arg) => `<${typeof arg === 'string' ? arg : arg.name}>`);
      return usageFailure(`${names.join(' ')} is missing.${help}`, 'MISSING_ARGUMENT');
    }
    case 'UnexpectedArgsError':
      return usageFailure(`"${first(error.args)}" is one argument too many.${help}`, 'UNEXPECTED_ARGUMENT');
  }
  if (!(error instanceof CLIError)) return undefined;
  const text = cleanText(error.message.replace(/\n?See more help with --help/g, '')).replace(/\.$/, '');
  return usageFailure(help === '' ? text : `${text}.${help}`);
}

function helpHint({ parse }: ParseError): string {
  const id = parse?.input?.context?.id;
  return id === undefined ? '' : ` See ${asTyped(`${id.replaceAll(':', ' ')} --help`)}`;
}

/** A defect of ours: the stack goes into a report, not onto the screen of somebody who only wanted a job done. */
function internalError(error: unknown): Failure {
  const what = error instanceof Error ? error.message || error.name : String(error);
  return new Failure(
    `jobber met an error of its own: ${cleanText(what)}; please report it with the command you typed`,
    {
      exitCode: EXIT.jobFailed,
      reason: 'INTERNAL',
      cause: error,
    },
  );
}
