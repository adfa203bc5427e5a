import { resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { JobberCommand } from '../base-command.ts';
import { withPlatformErrors } from '../platform-failure.ts';
import { dataFolder } from '../session/folder.ts';

export default class Backup extends JobberCommand {
  static override summary = "Back up this machine's platform, running or stopped, into a new folder.";
  static override description =
    'Jobs, products, accounts, uploads and the secrets of the platform, all of one moment. Whoever can read the backup can read all of that: keep it as you keep passwords.';
  static override examples = [
    '<%= config.bin %> backup ./jobber-backup',
    '<%= config.bin %> backup ./jobber-backup --data-dir ./jobber-data',
  ];
  static override args = {
    folder: Args.string({ description: 'A folder that does not exist yet, or is empty.', required: true }),
  };
  static override flags = {
    'data-dir': Flags.string({
      summary: "Where the platform keeps everything; by default the user's data folder.",
      helpValue: '<folder>',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Backup);
    const folder = resolve(args.folder);
    const { backUpPlatform } = await import('@jobber/compose/backup');
    const summary = await withPlatformErrors(() =>
      backUpPlatform(resolve(flags['data-dir'] ?? dataFolder(this.environment)), folder),
    );
    this.print(`Backed up into ${folder}: ${summary.rows} rows and ${summary.uploads} uploads.`);
    if (summary.uploadsElsewhere > 0)
      this.print(
        `${summary.uploadsElsewhere} uploads are not in the data folder (kept in a bucket?) and not in the backup.`,
      );
    return { folder, ...summary };
  }
}
