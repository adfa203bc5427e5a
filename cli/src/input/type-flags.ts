import { JsonText } from '../api/graphql.ts';
import type { JobTypeInfo } from '../api/jobs.ts';
import { usageFailure } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';
import { didYouMean } from '../suggest.ts';
import { describeRule, type NumberRule, parseNumber } from './parse-number.ts';

/** A flag made from a property of a job type's JSON Schema. */
export interface TypeFlag {
  /** As typed, without the dashes: max-depth */
  readonly name: string;
  /** In the item: maxDepth */
  readonly property: string;
  readonly kind: 'string' | 'number' | 'boolean' | 'json';
  /** Given several times, it makes an array. */
  readonly repeated: boolean;
  readonly required: boolean;
  readonly choices: readonly string[] | undefined;
  readonly rule: NumberRule;
  readonly description: string;
}

type Schema = Record<string, unknown>;

export function flagsOfType(type: JobTypeInfo): TypeFlag[] {
  const schema = isRecord(type.inputSchema) ? type.inputSchema : {};
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.entries(properties)
    .filter(([property]) => /^[A-Za-z][\w-]*$/.test(property))
    .map(([property, inner]) => flagOf(property, isRecord(inner) ? inner : {}, required.includes(property)));
}

/**
 * A command's own flags come first: a property of the same name has no flag, and is given with --input.
 *
 * @param own names of the command's flags, negations included
 */
export function splitTypeFlags(
  typeFlags: readonly TypeFlag[],
  own: ReadonlySet<string>,
): { free: TypeFlag[]; taken: TypeFlag[] } {
  return {
    free: typeFlags.filter(({ name }) => !own.has(name)),
    taken: typeFlags.filter(({ name }) => own.has(name)),
  };
}

/** The item that the flags describe, as JSON text: digits stay as they were typed. */
export function itemFromFlags(
  type: JobTypeInfo,
  flags: readonly TypeFlag[],
  given: Record<string, unknown>,
): JsonText {
  const missing = flags.filter(({ name, required }) => required && given[name] === undefined);
  if (missing.length > 0) {
    const names = missing.map(({ name }) => `--${name}`).join(', ');
    throw usageFailure(
      `${names} ${missing.length === 1 ? 'is' : 'are'} missing: ${cleanText(type.name)} needs ${missing.length === 1 ? 'it' : 'them'}`,
      'MISSING_FLAG',
    );
  }
  const fields = flags
    .filter(({ name }) => given[name] !== undefined)
    .map((flag) => `${JSON.stringify(flag.property)}:${valueText(flag, given[flag.name])}`);
  return new JsonText(`{${fields.join(',')}}`);
}

/** For help: `--iterations <number>` and what may be given. */
export function describeFlag(flag: TypeFlag): { usage: string; text: string } {
  const value =
    flag.kind === 'boolean'
      ? ''
      : flag.choices
        ? ` <${flag.choices.map(cleanText).join('|')}>`
        : ` <${flag.kind}>`;
  const facts = [
    cleanText(flag.description),
    flag.kind === 'number' && !saysLimits(flag) ? describeRule(flag.rule) : '',
    flag.repeated ? 'may be repeated' : '',
    flag.required ? 'required' : '',
  ];
  return { usage: `--${flag.name}${value}`, text: facts.filter(Boolean).join('; ') };
}

/** Most descriptions name the limits themselves. */
function saysLimits({ description, rule }: TypeFlag): boolean {
  const limits = [rule.minimum, rule.maximum].filter((limit) => limit !== undefined);
  const words: string[] = description.replaceAll(',', '').match(/\d+(\.\d+)?/g) ?? [];
  return limits.length > 0 && limits.every((limit) => words.includes(String(limit)));
}

function flagOf(property: string, schema: Schema, required: boolean): TypeFlag {
  const outer = withoutNull(schema);
  const repeated = outer['type'] === 'array';
  const inner = repeated ? withoutNull(isRecord(outer['items']) ? outer['items'] : {}) : outer;
  const choices = Array.isArray(inner['enum'])
    ? inner['enum'].filter((choice): choice is string => typeof choice === 'string')
    : [];
  return {
    name: property
      .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
      .replace(/_/g, '-')
      .toLowerCase(),
    property,
    kind: kindOf(inner),
    repeated,
    required: required && schema['default'] === undefined,
    choices: choices.length > 0 ? choices : undefined,
    rule: {
      integer: inner['type'] === 'integer',
      minimum: numberOf(inner['minimum']),
      maximum: numberOf(inner['maximum']),
      exclusiveMinimum: numberOf(inner['exclusiveMinimum']),
      exclusiveMaximum: numberOf(inner['exclusiveMaximum']),
    },
    description: typeof schema['description'] === 'string' ? schema['description'] : '',
  };
}

/** What may be null, or one of several, is read as the first that can be typed. */
function withoutNull(schema: Schema): Schema {
  const several = [schema['anyOf'], schema['oneOf']].find(Array.isArray);
  if (several) {
    const real = several.filter((option): option is Schema => isRecord(option) && option['type'] !== 'null');
    const number = real.find(({ type }) => type === 'number' || type === 'integer');
    return number ?? real[0] ?? {};
  }
  if (Array.isArray(schema['type'])) {
    return { ...schema, type: schema['type'].find((type) => type !== 'null') };
  }
  return schema;
}

function kindOf(schema: Schema): TypeFlag['kind'] {
  switch (schema['type']) {
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'string':
      return 'string';
    default:
      return Array.isArray(schema['enum']) ? 'string' : 'json';
  }
}

function valueText(flag: TypeFlag, value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => valueText(flag, one)).join(',')}]`;
  if (typeof value === 'boolean') return String(value);
  const text = String(value);
  const name = `--${flag.name}`;
  if (flag.choices && !flag.choices.includes(text)) {
    throw usageFailure(
      `${name} must be one of ${flag.choices.map(cleanText).join(', ')}: "${cleanText(text)}" is none of them.${didYouMean(text, flag.choices)}`,
      'INVALID_CHOICE',
    );
  }
  if (flag.kind === 'number') return parseNumber(name, text, flag.rule);
  if (flag.kind === 'boolean') return parseBoolean(name, text);
  if (flag.kind === 'string') return JSON.stringify(text);
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw usageFailure(`${name} must be JSON: "${cleanText(text).slice(0, 60)}" is not`, 'INVALID_JSON');
  }
}

/** Only within arrays: single switches have no value. */
function parseBoolean(name: string, text: string): string {
  if (text === 'true' || text === 'false') return text;
  throw usageFailure(`${name} must be true or false: "${cleanText(text)}" is neither`, 'INVALID_CHOICE');
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
