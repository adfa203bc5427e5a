import { randomUUID } from 'node:crypto';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { JsonText } from '../../api/graphql.ts';
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
import { parseDuration } from '../../input/parse-time.ts';
import { peekFlag } from '../../input/peek-flag.ts';
import { readInput } from '../../input/read-input.ts';
import { flagsOfType, itemFromFlags, type TypeFlag } from '../../input/type-flags.ts';
import { cleanText, toJsonText } from '../../render/clean-text.ts';
import { printWarning } from '../../render/failure.ts';
import { renderReport } from '../../render/job.ts';
import { counted } from '../../render/units.ts';
import { followJob } from '../../waiting/follow-job.ts';
import { handOverJob } from '../../waiting/hand-over-job.ts';

export default class JobRun extends JobberCommand {
  static override summary = 'Run a job.';
  static override description =
    "The flags of a type are made from its schema: jobber job run <type> --help shows them. Several items, or whole objects, are given with --input. Without either, the type's own example is run.";
  static override usage =
    'job run <type> [flags of the type] [--input <items>] [--no-wait] [--timeout <time>]';
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
  ];
  static override args = {
    type: Args.string({
      description: 'Name of the job type, any case: fibonacci, LoadProducts.',
      ignoreStdin: true,
    }),
  };
  static override flags = {
    input: Flags.string({
      summary: 'The items: @file, - for stdin, or JSON (an object or an array).',
      helpValue: '<items>',
    }),
    wait: Flags.boolean({
      summary: 'Wait until the job has ended; the default on a terminal.',
      allowNo: true,
    }),
    timeout: Flags.string({ summary: 'Wait no longer than that: 30s, 5m, 2h.', helpValue: '<time>' }),
    'idempotency-key': Flags.string({
      summary: 'The same key is the same job, however often it is sent; by default each call has its own.',
      helpValue: '<key>',
    }),
  };

  async run(): Promise<Job | JobReport> {
    const words = plainWords(this.argv, [
      '--input',
      '--timeout',
      '--idempotency-key',
      '--profile',
      '--server',
    ]);
    const { type, typeFlags, flags, given } = await this.parseForType(words);
    const timeoutMs = flags.timeout === undefined ? undefined : parseDuration('--timeout', flags.timeout);
    const data = await this.readItems(type, typeFlags, flags.input, given);
    const session = this.session(flags);
    if (!type.available) {
      printWarning(`No executor offers ${cleanText(type.name)} at the moment: the job waits until one does`);
    }
    const key = flags['idempotency-key'] ?? randomUUID();
    const quiet = this.jsonEnabled();
    const job = await handOverJob(session, { type: type.name, data, key, quiet });
    if (!(flags.wait ?? process.stdout.isTTY)) {
      this.print(
        `Job ${job.id} accepted: ${cleanText(job.name)}, ${counted(job.size, 'item')}. Follow it with: ${asTyped(`job show ${job.id} --wait`)}`,
      );
      return job;
    }
    const ended = await followJob(session, job, { quiet, timeoutMs });
    const report = await fetchJobReport(session, job.id, { errors: 20, items: itemsOf(job) });
    this.print(renderReport(report, job.size === 1 ? firstItem(data) : undefined));
    this.endWith(ended.status === 'COMPLETED' ? EXIT.ok : EXIT.jobFailed);
    return report;
  }

  /** Which flags there are is known only when the type is, and that only by the server. */
  private async parseForType(words: string[]) {
    const base = { ...JobRun.flags, ...JobRun.baseFlags };
    const early = { profile: peekFlag(this.argv, 'profile'), server: peekFlag(this.argv, 'server') };
    const types = await fetchJobTypes(this.session(early));
    const word = findTypeWord(words, types);
    if (word === undefined) {
      const slugs = types.map(({ slug }) => cleanText(slug)).join(', ');
      throw usageFailure(`<type> is missing: ${slugs}. See ${asTyped('job run --help')}`, 'MISSING_ARGUMENT');
    }
    const type = findType(types, word);
    const typeFlags = flagsOfType(type).filter(({ name }) => !(name in base) && name !== 'json');
    const { flags } = await this.parse({
      ...JobRun,
      flags: { ...JobRun.flags, ...oclifFlags(typeFlags) },
      baseFlags: JobRun.baseFlags,
      args: JobRun.args,
      enableJsonFlag: true,
    });
    return { type, typeFlags, flags, given: flags as Record<string, unknown> };
  }

  private async readItems(
    type: JobTypeInfo,
    typeFlags: readonly TypeFlag[],
    input: string | undefined,
    given: Record<string, unknown>,
  ): Promise<JsonText> {
    const named = typeFlags.filter(({ name }) => given[name] !== undefined);
    if (input !== undefined) {
      const [first] = named;
      if (first)
        throw usageFailure(`--input and --${first.name} exclude each other: put everything into --input`);
      return readInput(input);
    }
    const useDefault = named.length === 0 && type.defaultItem !== null && type.defaultItem !== undefined;
    return useDefault ? new JsonText(toJsonText(type.defaultItem)) : itemFromFlags(type, typeFlags, given);
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
