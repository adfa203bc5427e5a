import * as Args from '@oclif/core/args';
import { type DeadLetterReport, fetchDeadLetter } from '../../api/dead-letters.ts';
import { JobberCommand } from '../../base-command.ts';
import { parseDeadLetterId } from '../../input/parse-dead-letter-id.ts';
import { renderDeadLetter } from '../../render/dead-letter.ts';

const FIRST = 100;

export default class DeadLetterShow extends JobberCommand {
  static override summary = "Show a dead letter: its reason, its items' input and errors, every attempt.";
  static override examples = [
    '<%= config.bin %> dead-letter show 12/3',
    {
      description: 'The whole input and every error, for a program:',
      command: '<%= config.bin %> dead-letter show 12/3 --json',
    },
  ];
  static override args = {
    id: Args.string({
      description: 'The id of the dead letter: job and task, for example 12/3.',
      required: true,
      ignoreStdin: true,
    }),
  };

  async run(): Promise<DeadLetterReport> {
    const { args, flags } = await this.parse(DeadLetterShow);
    const id = parseDeadLetterId(args.id);
    const letter = await fetchDeadLetter(this.session(flags), id, this.jsonEnabled() ? 1000 : FIRST);
    this.print(renderDeadLetter(letter));
    return letter;
  }
}
