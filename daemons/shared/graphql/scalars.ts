import { parseJsonExact } from '@jobber/shared/json';
import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';

/** Any JSON value. Numbers in a query's text are kept exactly or refused. */
export const exactJsonScalar = new GraphQLScalarType({
  name: 'JSON',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => storableValue(literalValue(node, variables ?? {})),
});

/** ISO 8601 with a time zone, for example 2026-01-31T12:00:00Z. */
export const dateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  serialize: (value) => (value as Date).toISOString(),
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(node.kind === Kind.STRING ? node.value : undefined),
});

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

function parseDateTime(value: unknown): Date {
  const date = typeof value === 'string' && ISO.test(value) ? new Date(value) : undefined;
  if (typeof value !== 'string' || !date || Number.isNaN(date.getTime()))
    throw new GraphQLError('A DateTime must be ISO 8601 with a time zone, such as 2026-01-31T12:00:00Z');
  const day = value.slice(0, 10);
  if (isDay(day)) return date;
  throw new GraphQLError(`A DateTime must be a day that there is, got ${day}`);
}

/** JavaScript takes February 30 for March 2. */
function isDay(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

/** What JSON of a request may not hold is refused in a query's text too: forbidden names, U+0000, too much nesting. */
function storableValue(value: unknown): unknown {
  const parsed = parseJsonExact(JSON.stringify(value) ?? 'null');
  if (parsed.ok) return value;
  throw new GraphQLError(parsed.problem.message);
}

function literalValue(node: ValueNode, variables: Record<string, unknown>): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return exactNumber(node.value);
    case Kind.LIST:
      return node.values.map((value) => literalValue(value, variables));
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [name.value, literalValue(value, variables)]),
      );
    case Kind.VARIABLE:
      return variables[node.name.value];
    default:
      return node.value;
  }
}

function exactNumber(text: string): unknown {
  const parsed = parseJsonExact(text);
  if (parsed.ok) return parsed.value;
  throw new GraphQLError(parsed.problem.message);
}
