import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { fetchIdsOfJob } from '../../api/dead-letters.ts';
import { fetchHistory } from '../../api/job-history.ts';
import {
  fetchJob,
  fetchJobReport,
  isTerminal,
  itemsOf,
  type JobReport,
  LATEST_EVENTS,
} from '../../api/jobs.ts';
import { JobberCommand } from '../../base-command.ts';
import { EXIT } from '../../failure.ts';
import { parseJobId } from '../../input/parse-job-id.ts';
import { parseNumber } from '../../input/parse-number.ts';
import { parseDuration } from '../../input/parse-time.ts';
import { renderReport } from '../../render/job.ts';
import { followJob } from '../../waiting/follow-job.ts';

const MANY = 1000;
const MOST_EVENTS = 100_000;

export default class JobShow extends JobberCommand {
  static override summary = 'Show a job: how far it is, its results, what failed and what was tried.';
  static override description =
    'With --json, `history` has the same events as the table, the oldest first, each with its id, and `historySize` says how many there are in all; `running` has the first 100 tasks that run, and `items` and `errors` are as many as the flags ask for.';
  static override examples = [
    '<%= config.bin %> job show 12',
    { description: 'Come back to a job and wait for it:', command: '<%= config.bin %> job show 12 --wait' },
    {
      description: 'Every attempt that failed, was lost, or came too late:',
      command: '<%= config.bin %> job show 12 --history',
    },
    {
      description: 'A long history piece by piece, from its end:',
      command: '<%= config.bin %> job show 12 --events 500 --before 48210',
    },
    {
      description: 'The outcome of every item, for a program:',
      command: '<%= config.bin %> job show 12 --items --json',
    },
  ];
  static override args = {
    id: Args.string({ description: 'The id of the job.', required: true, ignoreStdin: true }),
  };
  static override flags = {
    wait: Flags.boolean({ summary: 'Wait until the job has ended; the exit code is 1 when it failed.' }),
    timeout: Flags.string({
      summary: 'Wait no longer than that: 30s, 5m, 2h.',
      helpValue: '<time>',
      dependsOn: ['wait'],
    }),
    items: Flags.boolean({
      summary: `The outcomes of the first ${MANY} items; of small jobs they are shown anyway.`,
    }),
    errors: Flags.boolean({ summary: `The first ${MANY} failed items instead of the first 20.` }),
    history: Flags.boolean({
      summary: `Everything that did not go straight, instead of the latest ${LATEST_EVENTS} events; at most the latest ${MOST_EVENTS}.`,
    }),
    events: Flags.string({
      summary: `So many events of the history instead of the latest ${LATEST_EVENTS}.`,
      helpValue: '<number>',
      exclusive: ['history'],
    }),
    before: Flags.string({
      summary: 'Only events that are earlier than the one with this id.',
      helpValue: '<event id>',
      dependsOn: ['events'],
    }),
  };

  async run(): Promise<JobReport> {
    const { args, flags } = await this.parse(JobShow);
    const id = parseJobId(args.id);
    const timeoutMs = flags.timeout === undefined ? undefined : parseDuration('--timeout', flags.timeout);
    const history = parseHistory(flags);
    const session = this.session(flags);
    const job = await fetchJob(session, id);
    if (flags.wait) {
      const follow = { quiet: this.jsonEnabled(), timeoutMs };
      const ended = isTerminal(job.status) ? job : await followJob(session, job, follow);
      this.endWith(ended.status === 'COMPLETED' ? EXIT.ok : EXIT.jobFailed);
    }
    const items = flags.items ? MANY : itemsOf(job);
    const found = await fetchJobReport(session, id, { errors: flags.errors ? MANY : 20, items });
    const report = history ? { ...found, history: await fetchHistory(session, id, history) } : found;
    const deadLetters = report.failed > 0 && !this.jsonEnabled() ? await fetchIdsOfJob(session, report) : [];
    this.print(
      renderReport(report, { deadLetters, historyAsked: history !== undefined, before: history?.before }),
    );
    return report;
  }
}

/** How much of the history is asked for; undefined: as much as is shown unasked. */
function parseHistory(flags: { history: boolean; events?: string | undefined; before?: string | undefined }) {
  const { history, events, before } = flags;
  if (history) return { limit: MOST_EVENTS };
  if (events === undefined) return undefined;
  const limit = parseNumber('--events', events, { integer: true, minimum: 1, maximum: MOST_EVENTS });
  if (before === undefined) return { limit: Number(limit) };
  const rule = { integer: true, minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
  return { limit: Number(limit), before: Number(parseNumber('--before', before, rule)) };
}
