import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HINT_VERSION, MAX_HINTS, readHints, writeHint } from './hint.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const read = (text: string) => readHints(Buffer.from(text));

test('a hint that is written is read as it was', () => {
  const hint = { jobId: 9_007_199_254_740_991, seq: 2_147_483_647, attempt: 7, traceparent };
  expect(readHints(writeHint(hint))).toEqual({ hints: [hint] });
  expect(readHints(writeHint({ jobId: 1, seq: 0, attempt: 1 }))).toEqual({
    hints: [{ jobId: 1, seq: 0, attempt: 1 }],
  });
});

test('a message names several tasks, and as many as are allowed fit in, whatever their numbers', () => {
  const [job, int] = [9_007_199_254_740_991, 2_147_483_647];
  const tasks = Array.from({ length: MAX_HINTS }, (_, n) => ({
    jobId: job - n,
    seq: int - n,
    attempt: int - n,
  }));
  const [first = { jobId: 1, seq: 0, attempt: 1 }, ...more] = tasks;
  expect(readHints(writeHint({ ...first, traceparent }, more))).toEqual({
    hints: [{ ...first, traceparent }, ...more],
  });
});

test.each([
  ['', 'empty'],
  ['x'.repeat(1_025), 'oversize'],
  ['{"v":1', 'not-json'],
  ['null', 'not-an-object'],
  ['[1]', 'not-an-object'],
  ['{}', 'no-version'],
  ['{"v":"1","job":1,"task":0,"attempt":1}', 'no-version'],
  [`{"v":${HINT_VERSION + 1},"anything":true}`, 'future-version'],
  ['{"v":1,"job":0,"task":0,"attempt":1}', 'bad-ids'],
  ['{"v":1,"job":1.5,"task":0,"attempt":1}', 'bad-ids'],
  ['{"v":1,"job":1e308,"task":0,"attempt":1}', 'bad-ids'],
  ['{"v":1,"job":1,"task":2147483648,"attempt":1}', 'bad-ids'],
  ['{"v":1,"job":1,"task":0,"attempt":0}', 'bad-ids'],
  ['{"v":1,"job":"1","task":0,"attempt":1}', 'bad-ids'],
  ['{"v":1,"job":1,"task":0,"attempt":1,"more":1}', 'bad-ids'],
  ['{"v":1,"job":1,"task":0,"attempt":1,"more":[[1,1,1],[1,2]]}', 'bad-ids'],
  ['{"v":1,"job":1,"task":0,"attempt":1,"more":[[1,1,1],[1,-1,1]]}', 'bad-ids'],
])('%j is no hint: %s', (text, problem) => {
  expect(read(text)).toEqual({ problem });
});

test('bytes that are no UTF-8 are not JSON', () => {
  expect(readHints(Buffer.from([0xff, 0xfe, 0x7b]))).toEqual({ problem: 'not-json' });
});

test('fields of later releases are passed over, and a traceparent that is none is dropped', () => {
  expect(read('{"v":1,"job":1,"task":0,"attempt":1,"traceparent":"forged","new":{}}')).toEqual({
    hints: [{ jobId: 1, seq: 0, attempt: 1 }],
  });
});

test('whatever the bytes, reading them does not throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void readHints(bytes)));
  fc.assert(fc.property(fc.json(), (json) => void read(json)));
});
