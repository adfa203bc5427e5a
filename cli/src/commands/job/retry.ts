import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { fetchJobReport, itemsOf, type Job, type JobReport, retryJob } from '../../api/jobs.ts';
import { JobberCommand } from '../../base-command.ts';
import { type BulkOutcome, exitCodeOf, forEachJob, printUndone } from '../../bulk/for-each-job.ts';
import { asTyped } from '../../environment.ts';
import { EXIT, usageFailure } from '../../failure.ts';
import { parseJobIds } from '../../input/parse-job-id.ts';
import { parseDuration } from '../../input/parse-time.ts';
import { renderReport } from '../../render/job.ts';
import { count, counted } from '../../render/units.ts';
import { followJob } from '../../waiting/follow-job.ts';

export default class JobRetry extends JobberCommand {
  static override summary = 'Run the failed items of failed jobs again, as a new round.';
  static override description =
    'What has succeeded stays as it is; the failed items get new attempts. Several jobs are retried each by itself, and not waited for. The exit code is then that of the first one, in the order of the ids, that could not be retried; with --json the answer is {"jobs", "failed"}.';
  static override examples = [
    '<%= config.bin %> job retry 12',
    { description: 'Several:', command: '<%= config.bin %> job retry 12 13 14' },
    {
      description: 'In a script, with the result:',
      command: '<%= config.bin %> job retry 12 --wait --timeout 10m --json',
    },
  ];
  static override args = {
    id: Args.string({
      description: 'The ids of the jobs.',
      required: true,
      multiple: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    wait: Flags.boolean({
      summary: 'Wait until the job has ended again; the default on a terminal, and with --timeout.',
      allowNo: true,
    }),
    timeout: Flags.string({ summary: 'Wait no longer than that: 30s, 5m, 2h.', helpValue: '<duration>' }),
  };

  async run(): Promise<Job | JobReport | BulkOutcome<Job>> {
    const { args, flags } = await this.parse(JobRetry);
    const [id = 0, ...others] = parseJobIds(args.id);
    const timeoutMs = flags.timeout === undefined ? undefined : parseDuration('--timeout', flags.timeout);
    const session = this.session(flags);
    const quiet = this.jsonEnabled();
    if (others.length > 0) {
      if (flags.wait || timeoutMs !== undefined) {
        throw usageFailure('--wait and --timeout are for one job: wait for each with job show <id> --wait');
      }
      const act = (one: number) => retryJob(session, one);
      const outcome = await forEachJob([id, ...others], act, { doing: 'Retrying', quiet });
      for (const job of outcome.jobs) this.print(describeRound(job));
      if (!quiet) printUndone(outcome.failed);
      this.endWith(exitCodeOf(outcome.failed));
      return outcome;
    }
    const job = await retryJob(session, id);
    if (!(flags.wait ?? (timeoutMs !== undefined || process.stdout.isTTY))) {
      this.print(`${describeRound(job)}. Follow it with: ${asTyped(`job show ${job.id} --wait`)}`);
      return job;
    }
    if (!quiet) process.stderr.write(`${describeRound(job)}\n`);
    const ended = await followJob(session, job, { quiet, timeoutMs });
    const report = await fetchJobReport(session, job.id, { errors: 20, items: itemsOf(job) });
    this.print(renderReport(report));
    this.endWith(ended.status === 'COMPLETED' ? EXIT.ok : EXIT.jobFailed);
    return report;
  }
}

function describeRound({ id, round, size, completed, failed }: Job): string {
  return `Job ${id}: round ${count(round)} begins with ${counted(size - completed - failed, 'item')}`;
}
