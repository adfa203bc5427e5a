import * as Args from '@oclif/core/args';
import { cancelJob, type Job } from '../../api/jobs.ts';
import { JobberCommand } from '../../base-command.ts';
import { parseJobId } from '../../input/parse-job-id.ts';
import { count } from '../../render/units.ts';

export default class JobCancel extends JobberCommand {
  static override summary = 'Cancel a job that has not ended; what is done stays done.';
  static override examples = ['<%= config.bin %> job cancel 12', '<%= config.bin %> job cancel 12 --json'];
  static override args = {
    id: Args.string({ description: 'The id of the job.', required: true, ignoreStdin: true }),
  };

  async run(): Promise<Job> {
    const { args, flags } = await this.parse(JobCancel);
    const job = await cancelJob(this.session(flags), parseJobId(args.id));
    this.print(`Job ${job.id} cancelled; ${count(job.completed)} of ${count(job.size)} items were done`);
    return job;
  }
}
