import { describeValue, isExactNumber, parseJsonExact } from '../json/index.ts';
import type { Complaint } from './record-problem.ts';

/** The part of JSON Schema that says which type a property has. */
export interface JsonSchemaLike {
  type?: string | readonly string[];
  properties?: Readonly<Record<string, JsonSchemaLike | boolean>>;
  required?: readonly string[];
  anyOf?: readonly (JsonSchemaLike | boolean)[];
  oneOf?: readonly (JsonSchemaLike | boolean)[];
  enum?: readonly unknown[];
  const?: unknown;
}

export type CoercedCsv =
  | { ok: true; value: Record<string, unknown> }
  | { ok: false; problems: (Complaint & { field: string })[] };

/**
 * Gives the texts of a CSV row the types that the properties of `schema` have; nothing else is checked here.
 * - number, integer: JSON's spelling and no loss of digits. Refused: ' 5', '+5', '.5', '5.', '007', '1,5', '12abc',
 *   '0x10', '1e400', '9007199254740993'. An integer may be spelled 5.0 or 5e0, as JSON allows.
 * - boolean: true or false, in any case (spreadsheets write TRUE).
 * - object, array: JSON text, read by `parseJsonExact`.
 * - null: an empty field that is required. text: the field as it is, also when it looks like a number or a formula.
 * - An empty field that is not required is left out; one that is required stays empty text or is refused.
 * - A column without a property, or one of any type, stays text.
 */
export function coerceCsv(record: Readonly<Record<string, unknown>>, schema: JsonSchemaLike): CoercedCsv {
  const value: Record<string, unknown> = {};
  const problems: (Complaint & { field: string })[] = [];
  for (const [field, text] of Object.entries(record)) {
    const property = propertyOf(schema, field);
    if (typeof text !== 'string') {
      value[field] = text;
    } else if (property === undefined) {
      value[field] = text;
    } else if (text === '' && !schema.required?.includes(field)) {
    } else {
      const coerced = coerceField(text, typesOf(property));
      if (coerced.ok) value[field] = coerced.value;
      else
        problems.push({
          field,
          expected: coerced.expected,
          got: text === '' ? 'an empty field' : describeValue(text),
        });
    }
  }
  return problems.length === 0 ? { ok: true, value } : { ok: false, problems };
}

type CoercedField = { ok: true; value: unknown } | { ok: false; expected: string };

function coerceField(text: string, types: ReadonlySet<string>): CoercedField {
  if (types.size === 0 || types.has('string')) return { ok: true, value: text };
  if (text === '' && types.has('null')) return { ok: true, value: null };
  const tried: string[] = [];
  for (const type of types) {
    const coerced = coercers[type]?.(text);
    if (coerced?.ok) return coerced;
    if (coerced !== undefined) tried.push(coerced.expected);
  }
  return tried.length === 0 ? { ok: true, value: text } : { ok: false, expected: tried.join(' or ') };
}

const number = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

const coercers: Readonly<Record<string, (text: string) => CoercedField>> = {
  number(text) {
    if (!number.test(text)) return { ok: false, expected: 'a number' };
    if (!isExactNumber(text)) return { ok: false, expected: 'a number whose digits a 64-bit float keeps' };
    return { ok: true, value: Number(text) };
  },
  integer(text) {
    if (!number.test(text) || !Number.isInteger(Number(text))) return { ok: false, expected: 'an integer' };
    if (!isExactNumber(text)) return { ok: false, expected: 'an integer whose digits a 64-bit float keeps' };
    return { ok: true, value: Number(text) };
  },
  boolean(text) {
    const lower = text.toLowerCase();
    if (lower === 'true' || lower === 'false') return { ok: true, value: lower === 'true' };
    return { ok: false, expected: 'true or false' };
  },
  object: (text) =>
    fromJson(
      text,
      'a JSON object',
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    ),
  array: (text) => fromJson(text, 'a JSON array', Array.isArray),
};

function fromJson(text: string, expected: string, fits: (value: unknown) => boolean): CoercedField {
  const result = parseJsonExact(text);
  return result.ok && fits(result.value) ? { ok: true, value: result.value } : { ok: false, expected };
}

function propertyOf(schema: JsonSchemaLike, field: string): JsonSchemaLike | undefined {
  const { properties } = schema;
  if (properties === undefined || !Object.hasOwn(properties, field)) return undefined;
  const property = properties[field];
  return typeof property === 'object' ? property : undefined;
}

/** The types a property may have; none when its schema does not say. */
function typesOf(schema: JsonSchemaLike): ReadonlySet<string> {
  if (typeof schema.type === 'string') return new Set([schema.type]);
  if (schema.type !== undefined) return new Set(schema.type);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) {
    const types = new Set<string>();
    for (const alternative of alternatives) {
      const some = typeof alternative === 'object' ? typesOf(alternative) : new Set<string>();
      // One alternative that takes anything takes the text.
      if (some.size === 0) return some;
      for (const type of some) types.add(type);
    }
    return types;
  }
  if (schema.enum !== undefined) return new Set(schema.enum.map(typeOf));
  return Object.hasOwn(schema, 'const') ? new Set([typeOf(schema.const)]) : new Set();
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
