import * as Flags from '@oclif/core/flags';
import { type DeadLetter, fetchDeadLetters } from '../../api/dead-letters.ts';
import { JobberCommand } from '../../base-command.ts';
import { asTyped } from '../../environment.ts';
import { DEAD_LETTER_FILTER_FLAGS, readDeadLetterFilter } from '../../input/dead-letter-filter.ts';
import { explainUnknownType } from '../../input/find-type.ts';
import { parseDeadLetterId } from '../../input/parse-dead-letter-id.ts';
import { MOST_ROWS, parseLimit } from '../../input/parse-job-id.ts';
import { renderDeadLetters } from '../../render/dead-letter.ts';

export default class DeadLetterList extends JobberCommand {
  static override summary = 'List tasks whose items failed for good, the last ones first.';
  static override examples = [
    '<%= config.bin %> dead-letter list',
    {
      description: 'What timed out today:',
      command: '<%= config.bin %> dead-letter list --since 1d --error timeout',
    },
    {
      description: 'Those of one job, the next page:',
      command: '<%= config.bin %> dead-letter list --job 12 --before 12/40',
    },
    {
      description: "Everybody's, for operators:",
      command: '<%= config.bin %> dead-letter list --all-owners --json',
    },
  ];
  static override flags = {
    ...DEAD_LETTER_FILTER_FLAGS,
    limit: Flags.string({
      summary: `At most that many, up to ${MOST_ROWS}.`,
      default: '50',
      helpValue: '<number>',
    }),
    before: Flags.string({
      summary: 'Only those that died before the one with that id: the next page.',
      helpValue: '<job>/<task>',
    }),
  };

  async run(): Promise<DeadLetter[]> {
    const { flags } = await this.parse(DeadLetterList);
    const filter = readDeadLetterFilter(flags, Date.now());
    const limit = parseLimit(flags.limit);
    const before = flags.before === undefined ? undefined : parseDeadLetterId(flags.before, '--before');
    const session = this.session(flags);
    const letters = await explainUnknownType(session, flags.type, () =>
      fetchDeadLetters(session, { filter, limit, before }),
    );
    const owners = filter.allOwners === true;
    this.print(letters.length === 0 ? 'No dead letters' : renderDeadLetters(letters, owners));
    const last = letters.at(-1);
    if (last && letters.length === limit) this.print(`\nMore: the same with --before ${last.id}`);
    else if (last) this.print(`\nLook into one with: ${asTyped(`dead-letter show ${letters[0]?.id}`)}`);
    return letters;
  }
}
