import { resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { JobberCommand } from '../base-command.ts';
import { withPlatformErrors } from '../platform-failure.ts';
import { dataFolder } from '../session/folder.ts';

export default class Restore extends JobberCommand {
  static override summary = 'Make a platform on this machine from a backup; start it with jobber up.';
  static override description =
    'Unfinished jobs go on with the next start. Jobs accepted after the backup are unknown, and what they wrote is taken back: submit them again. Everybody has to log in again.';
  static override examples = [
    '<%= config.bin %> restore ./jobber-backup',
    '<%= config.bin %> restore ./jobber-backup --data-dir ./restored',
  ];
  static override args = {
    folder: Args.string({ description: 'What jobber backup has made.', required: true }),
  };
  static override flags = {
    'data-dir': Flags.string({
      summary: "Where everything is kept from now on, an empty folder; by default the user's data folder.",
      helpValue: '<folder>',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Restore);
    const dataDir = resolve(flags['data-dir'] ?? dataFolder(this.environment));
    const { restorePlatform } = await import('@jobber/compose/backup');
    const summary = await withPlatformErrors(() => restorePlatform(resolve(args.folder), dataDir));
    const { madeAt, rows, uploads, productsTakenBack, loginsEnded } = summary;
    this.print(`Restored into ${dataDir} as it was at ${madeAt}: ${rows} rows and ${uploads} uploads.`);
    this.print(
      `${productsTakenBack} products of later jobs were taken back, and ${loginsEnded} logins ended. Start it with jobber up.`,
    );
    return { dataDir, ...summary };
  }
}
