import * as Flags from '@oclif/core/flags';
import { JobberCommand } from '../base-command.ts';
import { JOB_OPTION_FLAGS } from './job-options.ts';

/** What `job run` takes for every type. */
export const RUN_FLAGS = {
  input: Flags.string({
    summary: 'The items: @file, - for stdin, or JSON (an object or an array); at most 16 MiB.',
    helpValue: '<items>',
  }),
  wait: Flags.boolean({
    summary:
      'Wait until the job has ended; the default on a terminal, and with --timeout, for a job that begins at once.',
    allowNo: true,
  }),
  timeout: Flags.string({ summary: 'Wait no longer than that: 30s, 5m, 2h.', helpValue: '<duration>' }),
  ...JOB_OPTION_FLAGS,
};

const ALL: Record<string, { type: string; allowNo?: boolean }> = { ...RUN_FLAGS, ...JobberCommand.baseFlags };

/** Names that no flag of a type can have. */
export const OWN_NAMES: ReadonlySet<string> = new Set([
  'json',
  'help',
  ...Object.entries(ALL).flatMap(([name, { allowNo }]) => (allowNo ? [name, `no-${name}`] : [name])),
]);

/** As typed, those that take a value. */
export const OWN_VALUE_FLAGS: readonly string[] = Object.entries(ALL)
  .filter(([, { type }]) => type === 'option')
  .map(([name]) => `--${name}`);

/** The words of a command line that belong to `job run` itself, so that they can be checked before the type is known. */
export function pickOwnFlags(argv: readonly string[]): string[] {
  const picked: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--') return picked;
    const [name = ''] = word.split('=', 1);
    if (!name.startsWith('--') || !OWN_NAMES.has(name.slice(2))) continue;
    picked.push(word);
    const value = argv[at + 1];
    if (OWN_VALUE_FLAGS.includes(word) && value !== undefined) {
      picked.push(value);
      at += 1;
    }
  }
  return picked;
}
