import { fetchJobTypes, type JobTypeInfo } from '../api/jobs.ts';
import { Failure, usageFailure } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';
import type { Session } from '../session/session.ts';
import { didYouMean } from '../suggest.ts';

/** By name or slug, any case: Fibonacci, load-products, LOADPRODUCTS. */
export function findType(types: readonly JobTypeInfo[], wanted: string): JobTypeInfo {
  const found = types.find((type) => isCalled(type, wanted));
  if (found) return found;
  const slugs = types.map(({ slug }) => cleanText(slug));
  const known = slugs.length === 0 ? 'none is known: is an executor running?' : slugs.join(', ');
  const meant = didYouMean(wanted, slugs);
  throw usageFailure(
    `There is no job type ${cleanText(wanted).slice(0, 100)}.${meant} Known types: ${known}`,
    'JOB_TYPE_NOT_FOUND',
    { known: slugs },
  );
}

/** Runs `call`; where the server does not know one of `types` that were asked for, what was meant is told. */
export async function explainUnknownType<Result>(
  session: Session,
  types: readonly string[] | undefined,
  call: () => Promise<Result>,
): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof Failure) || error.reason !== 'JOB_TYPE_NOT_FOUND') throw error;
    const known = await fetchJobTypes(session);
    for (const type of types ?? []) findType(known, type);
    throw error;
  }
}

/** The word of a command line that names the type: flags that only the type knows may stand in front of it. */
export function findTypeWord(words: readonly string[], types: readonly JobTypeInfo[]): string | undefined {
  return words.find((word) => types.some((type) => isCalled(type, word))) ?? words[0];
}

/** The words of a command line that are neither flags nor values of the flags given in `withValue`. */
export function plainWords(argv: readonly string[], withValue: readonly string[]): string[] {
  const words: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (word === '--') return [...words, ...argv.slice(at + 1)];
    if (withValue.includes(word)) at += 1;
    else if (!word.startsWith('-')) words.push(word);
  }
  return words;
}

function isCalled(type: JobTypeInfo, word: string): boolean {
  const folded = fold(word);
  return folded === fold(type.name) || folded === fold(type.slug);
}

function fold(text: string): string {
  return text.toLowerCase().replace(/[-_ ]/g, '');
}
