import type { Config } from '@oclif/core/config';
import { normalizeArgv } from '@oclif/core/help';
import { toConfiguredId } from '@oclif/core/util/ids';
import { usageFailure } from './failure.ts';
import { cleanText } from './render/clean-text.ts';
import { suggest } from './suggest.ts';

/** @throws a Failure when the words that were typed are neither a command nor a topic */
export function refuseUnknownCommand(config: Config, argv: readonly string[]): void {
  const words = argv.filter((word) => !word.startsWith('-'));
  if (words.length === 0) {
    const flag = argv.find((word) => !['--help', '-h', '--version', '-v', '--json'].includes(word));
    if (flag !== undefined) {
      throw usageFailure(
        `There is no command ${cleanText(flag)}: jobber --help lists them`,
        'UNKNOWN_COMMAND',
      );
    }
    return;
  }
  const help = argv.includes('--help') || argv.includes('-h');
  const [id = ''] = normalizeArgv(config, help ? words : [...argv]);
  if (config.findCommand(id)) return;
  const topic = config.findTopic(id);
  if (topic) return;
  const typed = cleanText(toConfiguredId(id, config)).slice(0, 100);
  const known = config.commandIDs.map((known) => toConfiguredId(known, config));
  const names = [...known, ...config.topics.map((topic) => toConfiguredId(topic.name, config))];
  const meant = suggest(typed, names) ?? suggest(words[0] ?? '', names);
  const hint = meant === undefined ? ' jobber --help lists the commands' : ` Did you mean jobber ${meant}?`;
  throw usageFailure(`There is no command ${typed}.${hint}`, 'UNKNOWN_COMMAND');
}
