import { expect, test } from 'vitest';
import { newTraceparent, readTraceparent } from './trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('a traceparent is read as it is, and one of a later version as far as it is known', () => {
  expect(readTraceparent(`00-${TRACE}`)).toBe(`00-${TRACE}`);
  expect(readTraceparent(`01-${TRACE}`)).toBe(`00-${TRACE}`);
  expect(readTraceparent(`cc-${TRACE}-what-comes-later`)).toBe(`00-${TRACE}`);
});

test('what is no traceparent is passed over', () => {
  for (const text of [
    undefined,
    null,
    7,
    '',
    'forged',
    `ff-${TRACE}`,
    `00-${TRACE}-more`,
    `00-${TRACE}x`,
    `00-${TRACE.toUpperCase()}`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    `00-${TRACE}\n`,
    `cc-${TRACE}-${'x'.repeat(1_000)}`,
  ]) {
    expect(readTraceparent(text), String(text)).toBeUndefined();
  }
});

test('each new one is a traceparent of its own', () => {
  const [first, second] = [newTraceparent(), newTraceparent()];
  expect(readTraceparent(first)).toBe(first);
  expect(second).not.toBe(first);
});
