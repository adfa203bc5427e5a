import { readFileSync } from 'node:fs';
import { AppError, REASONS, type Reason } from '@jobber/shared/errors';
import { Status } from 'nice-grpc-common';
import { expect, test } from 'vitest';
import { EXIT } from '../cli/src/failure.ts';
import { MAX_INPUT_BYTES } from '../cli/src/input/read-input.ts';
import { MAX_BODY_BYTES } from '../daemons/jobs/edges/http-app.ts';
import { toServerError } from '../daemons/shared/grpc/grpc-errors.ts';
import { readTable } from '../scripts/markdown-blocks.ts';

const page = readFileSync(new URL('errors.md', import.meta.url), 'utf8');

test('the reasons and their numeric codes are those of the code, in its order', () => {
  const documented = readTable(page, 'reasons').map(([reason, code]) => [reason, Number(code)]);
  expect(documented).toEqual(Object.entries(REASONS));
});

test('each numeric code becomes the gRPC status that the table names', () => {
  const documented = readTable(page, 'grpc').map(([code, status]) => [Number(code), status]);
  const reasons = Object.entries(REASONS) as [Reason, number][];
  const real = new Map(
    reasons.map(([reason, code]) => [code, Status[toServerError(new AppError(reason, '')).code]]),
  );
  expect(documented).toEqual([...real].sort(([a], [b]) => a - b));
});

test('the exit codes are those of the CLI', () => {
  const documented = readTable(page, 'exit-codes').map(([code]) => Number(code));
  expect(documented).toEqual(Object.values(EXIT));
});

test('the CLI takes as many bytes of items as Jobs, which leaves room for the rest of the request', () => {
  const mebibytes = MAX_INPUT_BYTES / 1024 ** 2;
  const kibibytes = (MAX_BODY_BYTES - MAX_INPUT_BYTES) / 1024;
  expect(page).toContain(
    `A GraphQL request may have ${mebibytes} MiB of items and ${kibibytes} KiB of everything else`,
  );
});
