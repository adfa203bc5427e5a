import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { limitComplexity } from './limit-complexity.ts';

const schema = buildSchema('type Query { me: User } type User { name: String friend: User }');
const LIMITS = { depth: 4, rootFields: 3, aliases: 2, directives: 2, fields: 20, fragments: 40 };
const problems = (query: string) =>
  validate(schema, parse(query), [limitComplexity(LIMITS)]).map(({ message }) => message);

test('an ordinary query passes', () => {
  expect(problems('{ me { name friend { name } } }')).toEqual([]);
});

test('depth counts through fragments', () => {
  expect(problems('{ me { friend { friend { friend { name } } } } }')).toEqual([
    'The query has 5 levels; the limit is 4',
  ]);
  const spread =
    '{ me { ...a } } fragment a on User { friend { ...b } } fragment b on User { friend { friend { name } } }';
  expect(problems(spread)).toEqual(['The query has 5 levels; the limit is 4']);
});

test('each aliased copy of a root field is an operation of its own', () => {
  const query = '{ a: me { name } b: me { name } c: me { name } d: me { name } }';
  expect(problems(query)).toEqual([
    'The query has 4 aliases; the limit is 2',
    'The query has 4 operations; the limit is 3',
  ]);
});

test('directives are counted', () => {
  const query = '{ me @include(if: true) { name @skip(if: false) friend @include(if: true) { name } } }';
  expect(problems(query)).toEqual(['The query has 3 directives; the limit is 2']);
});

test('a cycle of fragments neither hangs nor passes for small', () => {
  const cycle =
    '{ me { ...a } } fragment a on User { friend { ...b } } fragment b on User { friend { ...a } }';
  expect(problems(cycle)).toEqual([]);
});

test('fragments that multiply are measured without being written out', () => {
  const levels = Array.from({ length: 30 }, (_, n) => `fragment f${n} on User { ...f${n + 1} ...f${n + 1} }`);
  const query = `{ me { ...f0 } } ${levels.join(' ')} fragment f30 on User { name }`;
  expect(problems(query)).toEqual(['The query has 1073741825 fields; the limit is 20']);
});

test('fields count where they are written, too, also in a fragment that nobody uses', () => {
  const unused = `{ me { name } } fragment f on User { ${'name '.repeat(20)} }`;
  expect(problems(unused)).toEqual(['The query has 22 fields; the limit is 20']);
});

test('fragments are counted', () => {
  const fragments = Array.from({ length: 41 }, (_, n) => `fragment f${n} on User { ...f${n + 1} }`);
  expect(problems(`{ me { name } } ${fragments.join(' ')}`)).toEqual([
    'The query has 41 fragments; the limit is 40',
  ]);
});
