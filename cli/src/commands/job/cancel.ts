import * as Args from '@oclif/core/args';
import { cancelJob, type Job } from '../../api/jobs.ts';
import { JobberCommand } from '../../base-command.ts';
import { type BulkOutcome, exitCodeOf, forEachJob, printUndone } from '../../bulk/for-each-job.ts';
import { parseJobIds } from '../../input/parse-job-id.ts';
import { count } from '../../render/units.ts';

export default class JobCancel extends JobberCommand {
  static override summary = 'Cancel jobs that have not ended; what is done stays done.';
  static override description =
    'Of several jobs each is cancelled by itself. The exit code is then that of the first one, in the order of the ids, that could not be cancelled; with --json the answer is {"jobs", "failed"}.';
  static override examples = [
    '<%= config.bin %> job cancel 12',
    { description: 'Several:', command: '<%= config.bin %> job cancel 12 13 14' },
  ];
  static override args = {
    id: Args.string({
      description: 'The ids of the jobs.',
      required: true,
      multiple: true,
      ignoreStdin: true,
    }),
  };

  async run(): Promise<Job | BulkOutcome<Job>> {
    const { args, flags } = await this.parse(JobCancel);
    const [id = 0, ...others] = parseJobIds(args.id);
    const session = this.session(flags);
    if (others.length === 0) {
      const job = await cancelJob(session, id);
      this.print(describeCancelled(job));
      return job;
    }
    const quiet = this.jsonEnabled();
    const ids = [id, ...others];
    const outcome = await forEachJob(ids, (one) => cancelJob(session, one), { doing: 'Cancelling', quiet });
    for (const job of outcome.jobs) this.print(describeCancelled(job));
    if (!quiet) printUndone(outcome.failed);
    this.endWith(exitCodeOf(outcome.failed));
    return outcome;
  }
}

function describeCancelled({ id, completed, size }: Job): string {
  return `Job ${id} cancelled; ${count(completed)} of ${count(size)} items were done`;
}
