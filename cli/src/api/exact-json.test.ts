import { expect, test } from 'vitest';
import { cleanValue } from '../render/clean-text.ts';
import { parseExactJson } from './exact-json.ts';

test('numbers that JavaScript would change keep all of their digits', () => {
  const text = '{"big":12345678901234567890,"price":0.10000000000000000555,"huge":1e400,"n":55,"m":1.5}';
  const value = parseExactJson(text) as Record<string, unknown>;
  expect(JSON.stringify(value)).toBe(text);
  expect(value['n']).toBe(55);
  expect(cleanValue(value['big'])).toBe('12345678901234567890');
});
