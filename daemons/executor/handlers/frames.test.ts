import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFrameReader, encodeFrame } from './frames.ts';

test('messages arrive whole and in order, however the pipe cuts them', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.array(fc.nat(40)), (messages, cuts) => {
      const bytes = Buffer.concat(messages.map(encodeFrame));
      const read = createFrameReader(1_000_000);
      const got: unknown[] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        got.push(...read(bytes.subarray(at, at + cut)));
        at += cut;
      }
      expect(JSON.stringify(got)).toBe(JSON.stringify(messages));
    }),
  );
});

test('a message that is announced as longer than allowed is refused before it arrives', () => {
  const header = Buffer.from([0x7f, 0xff, 0xff, 0xff]);
  expect(() => createFrameReader(1_000)(header)).toThrow('A message of 2147483647 bytes; at most 1000');
});

test('what is no JSON is refused', () => {
  expect(() => createFrameReader(1_000)(Buffer.from([0, 0, 0, 1, 0x7b]))).toThrow(SyntaxError);
});
