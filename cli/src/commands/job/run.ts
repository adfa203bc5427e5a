import { randomUUID } from 'node:crypto';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { JsonText } from '../../api/graphql.ts';
import {
  fetchJobReport,
  fetchJobTypes,
  itemsOf,
  type Job,
  type JobReport,
  type JobTypeInfo,
} from '../../api/jobs.ts';
import { JobberCommand } from '../../base-command.ts';
import { asTyped } from '../../environment.ts';
import { EXIT, usageFailure } from '../../failure.ts';
import { findType, findTypeWord, plainWords } from '../../input/find-type.ts';
import { readJobOptions } from '../../input/job-options.ts';
import { parseKey } from '../../input/parse-label.ts';
import { parseDuration } from '../../input/parse-time.ts';
import { readRunItems } from '../../input/read-run-items.ts';
import { OWN_NAMES, OWN_VALUE_FLAGS, pickOwnFlags, RUN_FLAGS } from '../../input/run-flags.ts';
import { flagsOfType, splitTypeFlags, type TypeFlag } from '../../input/type-flags.ts';
import { describeAccepted, describeExisting } from '../../render/accepted.ts';
import { cleanText } from '../../render/clean-text.ts';
import { printWarning } from '../../render/failure.ts';
import { renderReport } from '../../render/job.ts';
import { localTime } from '../../render/units.ts';
import { followJob } from '../../waiting/follow-job.ts';
import { handOverJob } from '../../waiting/hand-over-job.ts';

export default class JobRun extends JobberCommand {
  static override summary = 'Run a job.';
  static override description =
    "The flags of a type are made from its schema: jobber job run <type> --help shows them. Several items, or whole objects, are given with --input. Without either, the type's own example is run. A field whose name is a flag of job run itself (priority, tag, …) has no flag: it is given with --input.";
  static override usage =
    'job run <type> [flags of the type] [--input <items>] [--no-wait] [--timeout <duration>]';
  static override examples = [
    '<%= config.bin %> job run fibonacci',
    '<%= config.bin %> job run fibonacci --iterations 90',
    {
      description: 'Several items, and only the id at once:',
      command: `<%= config.bin %> job run fibonacci --input '[{"iterations":10},{"iterations":20}]' --no-wait`,
    },
    {
      description: 'Items from a file or a pipe:',
      command: 'generate-items | <%= config.bin %> job run fibonacci --input - --json',
    },
    {
      description: 'Tomorrow morning, to be found again by a word:',
      command: '<%= config.bin %> job run fibonacci --run-at 2026-03-01T06:00 --tag nightly',
    },
    {
      description: 'Before your other jobs, and never two at the same time:',
      command: '<%= config.bin %> job run fibonacci --priority 10 --unique-for reports',
    },
  ];
  static override args = {
    type: Args.string({
      description: 'Name of the job type, any case: fibonacci, LoadProducts.',
      ignoreStdin: true,
    }),
  };
  static override flags = RUN_FLAGS;

  async run(): Promise<Job | JobReport> {
    // Each parsing leaves other words behind.
    const argv = [...this.argv];
    const asked = await this.parseOwnFlags(argv);
    const { session, key, options, timeoutMs } = asked;
    const { type, typeFlags, flags, given } = await this.parseForType(argv, await fetchJobTypes(session));
    const data = await readRunItems(type, typeFlags, given);
    warnAhead(type, options.runAt);
    const quiet = this.jsonEnabled();
    const job = await handOverJob(session, { name: type.name, data, key, options }, quiet);
    // A key that was made up here is known to nobody: then the job is this call's own, and an answer was lost.
    const existing = job.existing && (options.uniqueFor ?? flags['idempotency-key']) !== undefined;
    const soon = job.status !== 'SCHEDULED' && process.stdout.isTTY;
    if (!(flags.wait ?? (timeoutMs !== undefined || soon))) {
      this.print(describeAccepted({ ...job, existing }, options.uniqueFor, Date.now()));
      return job;
    }
    if (existing && !quiet) {
      process.stderr.write(`${describeExisting(job, options.uniqueFor)}; following it\n`);
    }
    const ended = await followJob(session, job, { quiet, timeoutMs });
    const report = await fetchJobReport(session, job.id, { errors: 20, items: itemsOf(job) });
    this.print(renderReport(report, job.size === 1 && !existing ? { input: firstItem(data) } : {}));
    this.endWith(ended.status === 'COMPLETED' ? EXIT.ok : EXIT.jobFailed);
    return report;
  }

  /** What does not depend on the type is checked before anything is asked for. */
  private async parseOwnFlags(argv: readonly string[]) {
    const { flags } = await this.parse(
      { ...JobRun, flags: RUN_FLAGS, baseFlags: JobRun.baseFlags, args: {}, enableJsonFlag: true },
      pickOwnFlags(argv),
    );
    const { timeout, wait, 'idempotency-key': key } = flags;
    if (timeout !== undefined && wait === false) {
      throw usageFailure(
        '--timeout limits how long is waited, and with --no-wait nobody waits: what limits an attempt of the job is --attempt-timeout',
      );
    }
    return {
      timeoutMs: timeout === undefined ? undefined : parseDuration('--timeout', timeout),
      key: key === undefined ? randomUUID() : parseKey('--idempotency-key', key),
      options: readJobOptions(flags, Date.now()),
      session: this.session(flags),
    };
  }

  /** Which flags there are is known only when the type is, and that only by the server. */
  private async parseForType(argv: string[], types: JobTypeInfo[]) {
    const word = findTypeWord(plainWords(argv, OWN_VALUE_FLAGS), types);
    if (word === undefined) {
      const slugs = types.map(({ slug }) => cleanText(slug)).join(', ');
      throw usageFailure(`<type> is missing: ${slugs}. See ${asTyped('job run --help')}`, 'MISSING_ARGUMENT');
    }
    const type = findType(types, word);
    const typeFlags = splitTypeFlags(flagsOfType(type), OWN_NAMES);
    const { flags } = await this.parse(
      {
        ...JobRun,
        flags: { ...RUN_FLAGS, ...oclifFlags(typeFlags.free) },
        baseFlags: JobRun.baseFlags,
        args: JobRun.args,
        enableJsonFlag: true,
      },
      argv,
    );
    return { type, typeFlags, flags, given: flags as Record<string, unknown> };
  }
}

function warnAhead(type: JobTypeInfo, runAt: string | undefined): void {
  if (!type.available) {
    printWarning(`No executor offers ${cleanText(type.name)} at the moment: the job waits until one does`);
  }
  if (runAt !== undefined && Date.parse(runAt) < Date.now()) {
    printWarning(`--run-at ${localTime(runAt)} is in the past: the job begins at once`);
  }
}

function oclifFlags(typeFlags: readonly TypeFlag[]) {
  return Object.fromEntries(
    typeFlags.map(({ name, kind, repeated }) => [
      name,
      kind === 'boolean' && !repeated
        ? Flags.boolean({ allowNo: true })
        : repeated
          ? Flags.string({ multiple: true, multipleNonGreedy: true })
          : Flags.string(),
    ]),
  );
}

function firstItem(data: JsonText): unknown {
  const value: unknown = JSON.parse(data.text);
  return Array.isArray(value) ? value[0] : value;
}
