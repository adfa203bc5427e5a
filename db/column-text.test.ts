import { expect, test } from 'vitest';
import { type ColumnValue, columnText } from './column-text.ts';

const textOf = (values: readonly ColumnValue[]) => columnText(values, (value) => value);

test('a column has one value of each row', () => {
  expect(columnText([{ id: 7 }, { id: 8 }], ({ id }) => id)).toBe('{7,8}');
  expect(columnText([], () => null)).toBe('{}');
});

test('numbers, booleans and nulls stand as they are', () => {
  expect(textOf([1, 1, -2, Number.MAX_SAFE_INTEGER])).toBe('{1,1,-2,9007199254740991}');
  expect(textOf([true, false])).toBe('{true,false}');
  expect(textOf([null, null])).toBe('{NULL,NULL}');
});

test('a text stands in quotes, also one that could be taken for something else', () => {
  expect(textOf(['a', '', 'NULL', '1', ' x,{y} '])).toBe('{"a","","NULL","1"," x,{y} "}');
  expect(textOf(['null', null, 'null'])).toBe('{"null",NULL,"null"}');
});

test('quotes and backslashes in a text are escaped', () => {
  expect(textOf(['{"a":"\\n"}', '$&'])).toBe(String.raw`{"{\"a\":\"\\n\"}","$&"}`);
});

test('neighbours that are alike are each written', () => {
  expect(textOf(['a', 'a', 'b', 'a'])).toBe('{"a","a","b","a"}');
});
