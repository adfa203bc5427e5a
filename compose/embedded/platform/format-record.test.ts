import { expect, test } from 'vitest';
import { formatRecord, toJsonLine } from './format-record.ts';
import type { LogRecord } from './log-stream.ts';

function record(fields: Record<string, unknown>): LogRecord {
  const time = '2026-11-23T10:20:30.456Z';
  return {
    source: 'jobs',
    line: JSON.stringify(fields),
    fields: { time, pid: 1, daemon: 'jobs', ...fields },
    time,
  };
}

function text(line: string): LogRecord {
  return { source: 'jobs', line, fields: undefined, time: '2026-11-23T10:20:30.456Z' };
}

test('a record is one line: time, who, level, message, what belongs to it', () => {
  const line = formatRecord(
    record({ level: 'info', msg: 'job accepted', jobId: 7, slug: 'fibonacci', why: 'a b' }),
    false,
  );
  expect(line).toMatch(/^\d\d:\d\d:30\.456 jobs {5}info {2}job accepted jobId=7 slug=fibonacci why="a b"$/);
});

test('an error is its message; the stack is in the file', () => {
  const err = { type: 'Error', message: 'no route', stack: 'Error: no route\n    at x' };
  expect(formatRecord(record({ level: 'error', msg: 'lost', err }), false)).toMatch(/lost err="no route"$/);
});

test('what was logged does not steer the terminal', () => {
  const nasty = '\u001b[2Jgone\u0007\nnext\u202eevil\r';
  for (const line of [
    formatRecord(record({ level: 'info', msg: nasty, [nasty]: nasty, deep: { nasty } }), false),
    formatRecord(text(nasty), false),
  ]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(line).toContain('gone');
  }
});

test('what is no record, such as the last words of Node, keeps its indentation', () => {
  expect(formatRecord(text('    at main.ts:1'), false)).toMatch(/jobs {5}text {6}at main\.ts:1$/);
  expect(JSON.parse(toJsonLine(text('Killed')))).toMatchObject({
    level: 'error',
    daemon: 'jobs',
    msg: 'Killed',
  });
});

test('colours are only there when asked for', () => {
  const one = record({ level: 'warn', msg: 'careful' });
  expect(formatRecord(one, false)).not.toContain('\u001b');
  expect(formatRecord(one, true)).toContain('\u001b[33m');
});
