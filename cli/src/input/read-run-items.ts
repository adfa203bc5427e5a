import { JsonText } from '../api/graphql.ts';
import type { JobTypeInfo } from '../api/jobs.ts';
import { usageFailure } from '../failure.ts';
import { cleanText, toJsonText } from '../render/clean-text.ts';
import { printWarning } from '../render/failure.ts';
import { readInput } from './read-input.ts';
import { itemFromFlags, type splitTypeFlags } from './type-flags.ts';

/**
 * The items of `job run`: those of --input, one made from the flags of the type, or the type's example.
 *
 * @param given every flag as it was parsed
 */
export async function readRunItems(
  type: JobTypeInfo,
  { free, taken }: ReturnType<typeof splitTypeFlags>,
  given: Record<string, unknown>,
): Promise<JsonText> {
  const named = free.filter(({ name }) => given[name] !== undefined);
  const { input } = given;
  if (typeof input === 'string') {
    const [first] = named;
    if (first)
      throw usageFailure(`--input and --${first.name} exclude each other: put everything into --input`);
    return readInput(input);
  }
  const typeName = cleanText(type.name);
  for (const { name, property } of taken.filter(({ name }) => given[name] !== undefined)) {
    printWarning(
      `--${name} is a flag of job run itself; the field ${property} of ${typeName} is given with --input`,
    );
  }
  if (named.length === 0 && type.defaultItem !== null && type.defaultItem !== undefined) {
    return new JsonText(toJsonText(type.defaultItem));
  }
  const hidden = taken.find(({ required }) => required);
  if (hidden) {
    throw usageFailure(
      `${typeName} needs the field ${hidden.property}, and --${hidden.name} is a flag of job run itself: give the whole item with --input`,
      'MISSING_FLAG',
    );
  }
  return itemFromFlags(type, free, given);
}
