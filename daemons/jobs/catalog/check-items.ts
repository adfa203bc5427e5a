import { describeValue } from '@jobber/shared/records';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';

/** What is wrong with one item of a request or one record of a file. */
export interface ItemProblem {
  /** From 0. */
  readonly index: number;
  /** In files, from 1. */
  readonly line?: number;
  readonly field?: string;
  readonly expected: string;
  readonly got: string;
  readonly message: string;
}

/** Checks one item; appends what is wrong with it to `problems`, as far as there is room. @returns how much is wrong. */
export type CheckItem = (
  item: unknown,
  place: { index: number; line?: number },
  problems: ItemProblem[],
) => number;

/** How many problems are told in full; the others are only counted. */
export const MAX_PROBLEMS = 20;

/** Compiles a JSON Schema (2020-12) into a check. @throws Error when the schema itself is not valid */
export function compileItemCheck(schema: Readonly<Record<string, unknown>>): CheckItem {
  const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: false, validateFormats: false });
  const validate: ValidateFunction = ajv.compile(schema);
  return function checkItem(item, place, problems) {
    if (validate(item)) return 0;
    const errors = validate.errors ?? [];
    for (const error of errors) {
      if (problems.length >= MAX_PROBLEMS) break;
      problems.push(toProblem(error, place));
    }
    return errors.length;
  };
}

function toProblem(error: ErrorObject, place: { index: number; line?: number }): ItemProblem {
  const { field, expected, got } = explain(error);
  const where =
    place.line === undefined ? `Item ${place.index}` : `Record ${place.index} (line ${place.line})`;
  const what = field === undefined ? '' : `, ${field}`;
  return {
    ...place,
    ...(field !== undefined && { field }),
    expected,
    got,
    message: `${where}${what}: expected ${expected}, got ${got}.`,
  };
}

function explain(error: ErrorObject): { field?: string; expected: string; got: string } {
  const path = error.instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  const params = error.params as Record<string, unknown>;
  const got = describeValue(error.data);
  const at = (name: unknown) => (path === '' ? String(name) : `${path}.${String(name)}`);
  const here = path === '' ? {} : { field: path };
  switch (error.keyword) {
    case 'required':
      return { field: at(params['missingProperty']), expected: 'a value', got: 'nothing' };
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = params['additionalProperty'] ?? params['unevaluatedProperty'];
      const value = (error.data as Record<string, unknown>)[String(name)];
      const expected = `no such field${meantField(error, String(name))}`;
      return { field: describeName(at(name)), expected, got: describeValue(value) };
    }
    case 'type':
      return { ...here, expected: article(String(params['type'])), got };
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return {
        ...here,
        expected: `a number ${String(params['comparison'])} ${String(params['limit'])}`,
        got,
      };
    case 'minLength':
      return { ...here, expected: `at least ${String(params['limit'])} characters`, got };
    case 'maxLength':
      return {
        ...here,
        expected: `at most ${String(params['limit'])} characters`,
        got: lengthOf(error.data),
      };
    case 'enum':
      return {
        ...here,
        expected: `one of ${(params['allowedValues'] as unknown[]).map(describeValue).join(', ')}`,
        got,
      };
    case 'multipleOf':
      return { ...here, expected: `a multiple of ${String(params['multipleOf'])}`, got };
    case 'pattern':
      return { ...here, expected: describePattern(error), got };
    default:
      return { ...here, expected: error.message ?? 'a valid value', got };
  }
}

/** Spreadsheets and other programs write `Name` or ` name`, and think of the same. */
function meantField({ parentSchema }: ErrorObject, name: string): string {
  const fold = (text: string) => text.trim().toLowerCase();
  const known = Object.keys((parentSchema as { properties?: object } | undefined)?.properties ?? {});
  const meant = known.find((field) => fold(field) === fold(name));
  return meant === undefined ? '' : ` (did you mean ${meant}?)`;
}

/** A schema can say in words what its pattern means: its `description`. */
function describePattern(error: ErrorObject): string {
  const description = (error.parentSchema as { description?: unknown } | undefined)?.description;
  return typeof description === 'string' ? description : `text that matches ${String(error.schema)}`;
}

function article(type: string): string {
  const words: Record<string, string> = {
    integer: 'a whole number',
    number: 'a number',
    string: 'text',
    object: 'an object',
  };
  return words[type] ?? `a value of type ${type}`;
}

function lengthOf(value: unknown): string {
  return typeof value === 'string' ? `${[...value].length} characters` : describeValue(value);
}

function describeName(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}
