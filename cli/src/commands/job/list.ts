import * as Flags from '@oclif/core/flags';
import { fetchJobs, JOB_STATUSES, type Job, type JobFilter } from '../../api/jobs.ts';
import { JobberCommand } from '../../base-command.ts';
import { usageFailure } from '../../failure.ts';
import { explainUnknownType } from '../../input/find-type.ts';
import { MOST_ROWS, parseJobId, parseLimit } from '../../input/parse-job-id.ts';
import { parseTags } from '../../input/parse-label.ts';
import { parseMoment } from '../../input/parse-time.ts';
import { cleanText } from '../../render/clean-text.ts';
import { renderJobs } from '../../render/job.ts';
import { didYouMean } from '../../suggest.ts';

export default class JobList extends JobberCommand {
  static override summary = 'List jobs, newest first.';
  static override examples = [
    '<%= config.bin %> job list',
    { description: 'What failed today:', command: '<%= config.bin %> job list --status failed --since 1d' },
    {
      description: 'One type, the next page:',
      command: '<%= config.bin %> job list --type fibonacci --before 120',
    },
    { description: 'By their tags:', command: '<%= config.bin %> job list --tag nightly --tag eu' },
    {
      description: "Everybody's, for operators:",
      command: '<%= config.bin %> job list --all --limit 200 --json',
    },
  ];
  static override flags = {
    status: Flags.string({
      summary: 'Only jobs of that status, any case; may be repeated.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: '<status>',
    }),
    type: Flags.string({
      summary: 'Only jobs of that type; may be repeated.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: '<type>',
    }),
    tag: Flags.string({
      summary: 'Only jobs with that tag; repeated: with all of them.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: '<tag>',
    }),
    owner: Flags.string({
      summary: "Only jobs of the user with that id; others' are for operators.",
      helpValue: '<user-id>',
      exclusive: ['all'],
    }),
    all: Flags.boolean({ summary: 'Jobs of all users; for operators.', aliases: ['all-owners'] }),
    since: Flags.string({
      summary: 'Started then or later: 2026-03-01, 2026-03-01T14:00, 2h.',
      helpValue: '<time>',
    }),
    until: Flags.string({ summary: 'Started before that.', helpValue: '<time>' }),
    limit: Flags.string({
      summary: `At most that many, up to ${MOST_ROWS}.`,
      default: '50',
      helpValue: '<number>',
    }),
    before: Flags.string({
      summary: 'Only jobs older than the one with that id: the next page.',
      helpValue: '<job-id>',
    }),
  };

  async run(): Promise<Job[]> {
    const { flags } = await this.parse(JobList);
    const now = Date.now();
    const filter: JobFilter = {
      ...(flags.status && { status: flags.status.map(parseStatus) }),
      ...(flags.type && { type: flags.type }),
      ...(flags.tag && { tags: parseTags(flags.tag) }),
      ...(flags.owner !== undefined && { owner: flags.owner }),
      ...(flags.all && { allOwners: true }),
      ...(flags.since !== undefined && { startedAfter: parseMoment('--since', flags.since, now) }),
      ...(flags.until !== undefined && { startedBefore: parseMoment('--until', flags.until, now) }),
    };
    const limit = parseLimit(flags.limit);
    const before = flags.before === undefined ? undefined : parseJobId(flags.before, '--before');
    const session = this.session(flags);
    const jobs = await explainUnknownType(session, flags.type, () =>
      fetchJobs(session, { filter, limit, before }),
    );
    this.print(jobs.length === 0 ? 'No jobs' : renderJobs(jobs, now));
    const last = jobs.at(-1);
    if (last && jobs.length === limit) this.print(`\nMore: the same with --before ${last.id}`);
    return jobs;
  }
}

function parseStatus(text: string): string {
  const status = text.toUpperCase().replace(/[- ]/g, '_');
  if ((JOB_STATUSES as readonly string[]).includes(status)) return status;
  const known = JOB_STATUSES.map((name) => name.toLowerCase());
  const meant = didYouMean(text, known);
  throw usageFailure(
    `--status must be one of ${known.join(', ')}: "${cleanText(text)}" is none of them${meant && `.${meant}`}`,
    'INVALID_CHOICE',
  );
}
