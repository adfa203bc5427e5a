import type { Config } from '@oclif/core/config';
import { normalizeArgv } from '@oclif/core/help';
import { toConfiguredId } from '@oclif/core/util/ids';
import { asTyped } from './environment.ts';
import { usageFailure } from './failure.ts';
import { cleanText } from './render/clean-text.ts';
import { suggest } from './suggest.ts';

/** What other platforms call it. */
const SYNONYMS: Readonly<Record<string, string>> = {
  jobs: 'job',
  product: 'products',
  dlq: 'dead-letter',
  dead: 'dead-letter',
  deadletter: 'dead-letter',
  deadletters: 'dead-letter',
  'dead-letters': 'dead-letter',
  'dead-letter-queue': 'dead-letter',
  ls: 'list',
  get: 'show',
  describe: 'show',
  status: 'show',
  submit: 'run',
  start: 'run',
  create: 'run',
  stop: 'cancel',
  kill: 'cancel',
  abort: 'cancel',
  rerun: 'retry',
  restart: 'retry',
  requeue: 'redrive',
  replay: 'redrive',
};

/** @throws a Failure when the words that were typed are neither a command nor a topic */
export function refuseUnknownCommand(config: Config, argv: readonly string[]): void {
  const words = argv.filter((word) => !word.startsWith('-'));
  if (words.length === 0) {
    const flag = argv.find((word) => !['--help', '-h', '--version', '-v', '--json'].includes(word));
    if (flag !== undefined) {
      throw usageFailure(
        `There is no command ${cleanText(flag)}: ${asTyped('--help')} lists them`,
        'UNKNOWN_COMMAND',
      );
    }
    if (argv.length === 1 && argv[0] === '--json') {
      throw usageFailure(`No command was given: ${asTyped('--help')} lists them`, 'UNKNOWN_COMMAND');
    }
    return;
  }
  const help = argv.includes('--help') || argv.includes('-h');
  const [id = ''] = normalizeArgv(config, help ? words : [...argv]);
  if (config.findCommand(id)) return;
  if (config.findTopic(id)) {
    if (help || !argv.includes('--json')) return;
    throw usageFailure(
      `jobber ${id} is not a command: ${asTyped(`${id} --help`)} lists what belongs to it`,
      'UNKNOWN_COMMAND',
    );
  }
  const extra = id.split(':').findIndex((_, at, parts) => config.findCommand(parts.slice(0, at).join(':')));
  if (extra > 0) {
    const parts = id.split(':');
    const command = parts.slice(0, extra).join(' ');
    throw usageFailure(
      `"${cleanText(parts[extra] ?? '')}" is one argument too many. See ${asTyped(`${command} --help`)}`,
      'UNEXPECTED_ARGUMENT',
    );
  }
  const typed = cleanText(toConfiguredId(id, config)).slice(0, 100);
  const known = config.commandIDs.map((known) => toConfiguredId(known, config));
  const names = [...known, ...config.topics.map((topic) => toConfiguredId(topic.name, config))];
  const meant = findSynonym(words, names) ?? suggest(typed, names) ?? suggest(words[0] ?? '', names);
  const hint =
    meant === undefined ? ` ${asTyped('--help')} lists the commands` : ` Did you mean ${asTyped(meant)}?`;
  throw usageFailure(`There is no command ${typed}.${hint}`, 'UNKNOWN_COMMAND');
}

/** The command that two words, or the topic that one word mean elsewhere. */
function findSynonym(words: readonly string[], names: readonly string[]): string | undefined {
  const [topic = '', verb = ''] = words.map((word) => SYNONYMS[word.toLowerCase()] ?? word.toLowerCase());
  // Of a dead letter a retry is a redrive.
  const meant = topic === 'dead-letter' && verb === 'retry' ? 'redrive' : verb;
  const found = [`${topic} ${meant}`, topic].find((name) => names.includes(name));
  return found === words.slice(0, found?.split(' ').length).join(' ') ? undefined : found;
}
