import { expect, test } from 'vitest';
import { compileItemCheck, type ItemProblem } from './check-items.ts';

test('a field in another spelling is told with the one that was meant', () => {
  const check = compileItemCheck({
    type: 'object',
    properties: { name: { type: 'string' }, price: { type: 'number' } },
    additionalProperties: false,
  });
  const problems: ItemProblem[] = [];
  check({ Name: 'Lamp', ' price': 1, weight: 3 }, { index: 0, line: 2 }, problems);
  expect(problems.map(({ field, expected }) => `${field}: ${expected}`)).toEqual([
    'Name: no such field (did you mean name?)',
    ' price: no such field (did you mean price?)',
    'weight: no such field',
  ]);
});
