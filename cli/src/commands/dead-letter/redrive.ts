import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { type Redrive, type RedriveChoice, redriveOnce } from '../../api/dead-letters.ts';
import { JobberCommand } from '../../base-command.ts';
import { redriveAll } from '../../bulk/redrive-all.ts';
import { EXIT, usageFailure } from '../../failure.ts';
import { canAsk, confirm } from '../../input/confirm.ts';
import {
  DEAD_LETTER_FILTER_FLAGS,
  hasCondition,
  readDeadLetterFilter,
} from '../../input/dead-letter-filter.ts';
import { parseDeadLetterIds } from '../../input/parse-dead-letter-id.ts';
import { refusedOf, renderRedrive } from '../../render/redrive.ts';
import { counted } from '../../render/units.ts';
import type { Session } from '../../session/session.ts';

type FilterChoice = Extract<RedriveChoice, { filter: unknown }>;

export default class DeadLetterRedrive extends JobberCommand {
  static override summary = 'Run dead letters again, by id or by filter, as a new round of their jobs.';
  static override description =
    "The failed items get new attempts; what has succeeded is not run again, and the history stays. A filter takes those of failed jobs whose input is still kept; on a terminal one that leaves nothing out asks first. Exit code 5: some can't be run again; they are named with the reason.";
  static override examples = [
    '<%= config.bin %> dead-letter redrive 12/3 12/4',
    {
      description: 'What a filter would run again, and nothing is changed:',
      command:
        '<%= config.bin %> dead-letter redrive --type load-products --error "connection refused" --dry-run',
    },
    {
      description: 'What died in the last two hours:',
      command: '<%= config.bin %> dead-letter redrive --since 2h',
    },
    {
      description: 'Everything, in a script:',
      command: '<%= config.bin %> dead-letter redrive --all --yes --json',
    },
  ];
  static override args = {
    id: Args.string({
      description: 'The ids of dead letters: job and task, for example 12/3.',
      multiple: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    ...DEAD_LETTER_FILTER_FLAGS,
    all: Flags.boolean({ summary: 'All of them, without any filter; asks first.' }),
    'dry-run': Flags.boolean({ summary: 'Show what would be run again; nothing is changed.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  async run(): Promise<Redrive & { dryRun: boolean }> {
    const { args, flags } = await this.parse(DeadLetterRedrive);
    // A switch that was not given is undefined, whatever its type says.
    const [all, dryRun] = [flags.all === true, flags['dry-run'] === true];
    const filter = readDeadLetterFilter(flags, Date.now());
    const choice = choose(parseDeadLetterIds(args.id ?? []), filter, all);
    const session = this.session(flags);
    if ('filter' in choice && !dryRun && !flags.yes) {
      if (all) {
        const planned = await confirmAll(session, choice);
        if (planned.matched === 0) return this.tell(planned, dryRun);
      } else if (canAsk()) await confirmIfAll(session, choice);
    }
    const redrive = dryRun
      ? await planOf(session, choice)
      : await redriveAll(session, choice, this.jsonEnabled());
    if (!dryRun && refusedOf(redrive) > 0) this.endWith(EXIT.refused);
    return this.tell(redrive, dryRun);
  }

  private tell(redrive: Redrive, dryRun: boolean): Redrive & { dryRun: boolean } {
    this.print(renderRedrive(redrive, dryRun));
    return { ...redrive, dryRun };
  }
}

function choose(
  ids: readonly string[],
  filter: ReturnType<typeof readDeadLetterFilter>,
  all: boolean,
): RedriveChoice {
  if (ids.length > 0) {
    if (!all && Object.keys(filter).length === 0) return { ids };
    throw usageFailure('Ids and a filter exclude each other: give the one or the other');
  }
  if (hasCondition(filter) === all) {
    throw usageFailure(
      all
        ? '--all means every dead letter: leave it out, or the filter'
        : 'Nothing says which dead letters: give ids (12/3), a filter (--job, --type, --since, --until, --error), or --all',
    );
  }
  return { filter, all };
}

/** What would be run again. */
async function planOf(session: Session, choice: RedriveChoice): Promise<Redrive> {
  const { last: _, ...planned } = await redriveOnce(session, choice, { dryRun: true });
  return planned;
}

/** Everything is much, and may not have been meant: what it is, is said before. */
async function confirmAll(session: Session, choice: FilterChoice): Promise<Redrive> {
  const planned = await planOf(session, choice);
  if (planned.matched > 0) {
    const of = choice.filter.allOwners ? ' of all users' : '';
    await confirm(`This runs all dead letters${of} again: ${counted(planned.matched, 'dead letter')}`);
  }
  return planned;
}

/** A filter that leaves nothing out may not have been meant so. */
async function confirmIfAll(session: Session, choice: FilterChoice): Promise<void> {
  const { owner, allOwners } = choice.filter;
  const everything: FilterChoice = {
    filter: { ...(owner !== undefined && { owner }), ...(allOwners && { allOwners }) },
    all: true,
  };
  const { matched } = await planOf(session, choice);
  if (matched < 2 || matched < (await planOf(session, everything)).matched) return;
  await confirm(`The filter leaves nothing out: this runs all ${counted(matched, 'dead letter')} again`);
}
