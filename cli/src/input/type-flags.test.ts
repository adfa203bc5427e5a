import { expect, test } from 'vitest';
import type { JobTypeInfo } from '../api/jobs.ts';
import { describeFlag, flagsOfType, itemFromFlags } from './type-flags.ts';

const type: JobTypeInfo = {
  name: 'Render',
  slug: 'render',
  description: '',
  version: 1,
  available: true,
  defaultItem: null,
  inputSchema: {
    type: 'object',
    required: ['maxDepth'],
    properties: {
      maxDepth: { type: 'integer', minimum: 1 },
      output_format: { type: 'string', enum: ['png', 'svg'] },
      fast: { type: 'boolean' },
      tags: { type: 'array', items: { type: 'string' } },
      price: { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'null' }] },
      options: { type: 'object' },
      '--evil flag': { type: 'string' },
    },
  },
};
const flags = flagsOfType(type);

test('properties become flags in kebab case; names that are no flags are left out', () => {
  expect(flags.map(({ name }) => name)).toEqual([
    'max-depth',
    'output-format',
    'fast',
    'tags',
    'price',
    'options',
  ]);
});

test('the item has the digits that were typed', () => {
  const given = {
    'max-depth': '12345678901234567890',
    price: '110.530000000000000001',
    fast: true,
    tags: ['a', 'b'],
  };
  expect(itemFromFlags(type, flags, given).text).toBe(
    '{"maxDepth":12345678901234567890,"fast":true,"tags":["a","b"],"price":110.530000000000000001}',
  );
});

test('required flags that are missing are named', () => {
  expect(() => itemFromFlags(type, flags, { fast: true })).toThrow('--max-depth is missing: Render needs it');
});

test('a choice that does not exist is refused with what was probably meant', () => {
  expect(() => itemFromFlags(type, flags, { 'max-depth': '1', 'output-format': 'pgn' })).toThrow(
    '--output-format must be one of png, svg: "pgn" is none of them. Did you mean png?',
  );
});

test('objects are given as JSON', () => {
  expect(itemFromFlags(type, flags, { 'max-depth': '1', options: '{"a":1.0}' }).text).toBe(
    '{"maxDepth":1,"options":{"a":1.0}}',
  );
  expect(() => itemFromFlags(type, flags, { 'max-depth': '1', options: '{' })).toThrow(
    '--options must be JSON',
  );
});

test('help says what may be given', () => {
  expect(describeFlag(flags[0]!)).toEqual({
    usage: '--max-depth <number>',
    text: 'a whole number from 1 or more; required',
  });
  expect(describeFlag(flags[1]!).usage).toBe('--output-format <png|svg>');
});

test('a schema that is none gives no flags', () => {
  expect(flagsOfType({ ...type, inputSchema: null })).toEqual([]);
  expect(flagsOfType({ ...type, inputSchema: { properties: 7 } })).toEqual([]);
});
