import { fetchJobTypes } from '../api/jobs.ts';
import { readEnvironment } from '../environment.ts';
import { Failure } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';
import { paint } from '../render/paint.ts';
import { wrapWords } from '../render/wrap-words.ts';
import { chooseTarget } from '../session/choose-target.ts';
import { homeFolder } from '../session/folder.ts';
import { openSession } from '../session/session.ts';
import { findType, findTypeWord, plainWords } from './find-type.ts';
import { peekFlag } from './peek-flag.ts';
import { OWN_NAMES, OWN_VALUE_FLAGS } from './run-flags.ts';
import { describeFlag, flagsOfType, splitTypeFlags, type TypeFlag } from './type-flags.ts';

/** The flags of the type that is named in `job run <type> --help`; why they are not known when no platform answers. */
export async function describeTypeFlags(argv: readonly string[]): Promise<string | undefined> {
  const words = plainWords(argv, OWN_VALUE_FLAGS).slice(2);
  if (words.length === 0) return undefined;
  try {
    const environment = readEnvironment();
    const target = chooseTarget(environment, {
      profile: peekFlag(argv, 'profile'),
      server: peekFlag(argv, 'server'),
    });
    const types = await fetchJobTypes(openSession(homeFolder(environment), target, () => {}));
    const type = findType(types, findTypeWord(words, types) ?? '');
    const { free, taken } = splitTypeFlags(flagsOfType(type), OWN_NAMES);
    const flags = free.map(describeFlag);
    const width = Math.max(0, ...flags.map(({ usage }) => usage.length));
    const lines = flags.map(({ usage, text }) => `  ${usage.padEnd(width)}  ${wrapWords(text, width + 4)}`);
    if (taken.length > 0) lines.push(`\n  ${wrapWords(describeTaken(taken), 2)}`);
    const head = `${paint('bold', `FLAGS OF ${cleanText(type.slug)}`)}\n  ${wrapWords(cleanText(type.description), 2)}\n`;
    const fallback = `\n  Without any of them it runs ${cleanText(JSON.stringify(type.defaultItem))}.`;
    return `${head}\n${lines.join('\n')}\n${type.defaultItem === null ? '' : fallback}\n`;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `${paint('bold', 'FLAGS OF THE TYPE')}\n  They are shown here when a platform answers. ${error.message}\n`;
  }
}

function describeTaken(taken: readonly TypeFlag[]): string {
  const names = taken.map(({ property }) => property).join(', ');
  return `Flags of job run itself have the same name, so with --input only: ${names}.`;
}
