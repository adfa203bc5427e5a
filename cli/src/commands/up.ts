import { resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { JobberCommand } from '../base-command.ts';
import { asTyped } from '../environment.ts';
import { EXIT, type ExitCode, Failure } from '../failure.ts';
import { parseNumber } from '../input/parse-number.ts';
import { dataFolder } from '../session/folder.ts';

export default class Up extends JobberCommand {
  static override summary = 'Start the platform on this machine.';
  static override description =
    'PostgreSQL and the four daemons, in the foreground until Ctrl-C; what they keep is there again at the next start.';
  static override examples = [
    '<%= config.bin %> up',
    {
      description: 'Beside another one, with data, ports and a profile of its own:',
      command: '<%= config.bin %> up --data-dir ./jobber-data --port-base 4000 --profile second',
    },
    { description: 'Over Apache Pulsar:', command: '<%= config.bin %> up --pulsar' },
    { description: 'With logs for machines:', command: '<%= config.bin %> up --json-logs' },
  ];
  static override flags = {
    'data-dir': Flags.string({
      summary: "Where everything is kept; by default the user's data folder.",
      helpValue: '<folder>',
    }),
    'port-base': Flags.string({
      summary: 'The first of ten ports in a row; without it 3000 to 3003, 5000 to 5002 and 5433.',
      helpValue: '<port>',
    }),
    pulsar: Flags.boolean({
      summary:
        'Over Apache Pulsar: the broker of <url>, or one that is started here (needs Java 17 and Maven).',
    }),
    'json-logs': Flags.boolean({ summary: 'One JSON object a line instead of readable logs.' }),
  };

  static override baseFlags = {
    ...JobberCommand.baseFlags,
    profile: Flags.string({
      summary: 'The name under which commands find this platform, instead of local.',
      helpGroup: 'GLOBAL',
      helpValue: '<name>',
    }),
  };

  static override args = {
    url: Args.string({
      description: 'The broker for --pulsar, such as ws://host:8080 or pulsar://host:6650.',
    }),
  };

  async run(): Promise<undefined> {
    const { flags, args } = await this.parse(Up);
    if (args.url !== undefined && !flags.pulsar) {
      const facts = { exitCode: EXIT.usage, reason: 'USAGE' };
      throw new Failure(`${args.url} is only of use with --pulsar`, facts);
    }
    if (flags.server !== undefined) {
      const facts = { exitCode: EXIT.usage, reason: 'USAGE' };
      throw new Failure(
        `--server is of no use here: ${asTyped('up')} starts a platform on this machine`,
        facts,
      );
    }
    const base = flags['port-base'];
    // Ten ports from the first one on are used.
    const rule = { integer: true, minimum: 1, maximum: 65_526 };
    const portBase = base === undefined ? undefined : Number(parseNumber('--port-base', base, rule));
    const { runUp } = await import('@jobber/compose/up');
    const exitCode = await runUp({
      dataDir: resolve(flags['data-dir'] ?? dataFolder(this.environment)),
      portBase,
      jsonLogs: flags['json-logs'] || this.jsonEnabled(),
      jobberHome: this.home,
      profile: flags.profile,
      pulsar: flags.pulsar ? { serviceUrl: args.url } : undefined,
    });
    if (exitCode !== EXIT.ok && this.jsonEnabled()) {
      const facts = { exitCode: exitCode as ExitCode, reason: 'PLATFORM_ENDED' };
      throw new Failure('The platform does not run: why is told on standard error', facts);
    }
    process.exitCode = exitCode;
  }
}
