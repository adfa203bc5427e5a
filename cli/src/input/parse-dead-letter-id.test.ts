import { expect, test } from 'vitest';
import { parseDeadLetterId, parseDeadLetterIds } from './parse-dead-letter-id.ts';

test('a dead letter is named by its job and its task', () => {
  expect(parseDeadLetterIds(['12/3', '12/0', '12/3'])).toEqual(['12/3', '12/0']);
});

test.each(['', '12/', '/3', '12/03', '0/1', '12/3/4', '-1/2', '1.5/2', '12/99999999999', 'abc'])(
  '"%s" is none',
  (text) => {
    expect(() => parseDeadLetterId(text)).toThrow(
      `The id of a dead letter must be <job>/<task>, for example 12/3: "${text}" is not`,
    );
  },
);

test('whoever names a job is told how', () => {
  expect(() => parseDeadLetterId('12')).toThrow('"12" is not; all those of job 12 are --job 12');
});

test('a thousand can be named, and no more', () => {
  const ids = Array.from({ length: 1001 }, (_, at) => `1/${at}`);
  expect(parseDeadLetterIds(ids.slice(1))).toHaveLength(1000);
  expect(() => parseDeadLetterIds(ids)).toThrow('At most 1,000 dead letters can be named at once');
});
