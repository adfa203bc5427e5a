import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { JobsServiceDefinition } from '@jobber/proto/jobs/v1/jobs';
import { HINT_VERSION, readHints } from '@jobber/shared/hints';
import { expect, test } from 'vitest';
import { SUBSCRIPTION } from '../daemons/shared/broker/broker-config.ts';
import { PROTOCOL, PROTOCOL_HEADER } from '../daemons/shared/grpc/protocol-version.ts';
import { CALLER_HEADER, CREDENTIAL_HEADER, credentialOf } from '../daemons/shared/grpc/service-credential.ts';
import { readTable } from '../scripts/markdown-blocks.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const page = read('docs/protocol.md');

test('every method of the service is described', () => {
  const methods = Object.values(JobsServiceDefinition.methods).map(({ name }) => name);
  expect(methods.filter((name) => !page.includes(`\`${name}\``) && !page.includes(`### ${name}`))).toEqual(
    [],
  );
});

test('metadata and versions are those of the code', () => {
  expect(readTable(page, 'metadata').map(([name]) => name)).toEqual([
    CALLER_HEADER,
    CREDENTIAL_HEADER,
    PROTOCOL_HEADER,
  ]);
  expect(page).toContain(`This page describes version **${PROTOCOL.newest}**`);
  expect(page).toContain(`| \`v\` greater than ${HINT_VERSION} `);
  expect(page).toContain(`The subscription is \`${SUBSCRIPTION}\``);
});

test('the credential is made as the page says', () => {
  const [, text = ''] = /HMAC-SHA256 of the text `([^`]+)`/.exec(page) ?? [];
  const secret = 'a secret that is only for this test';
  expect(createHmac('sha256', secret).update(text).digest('hex')).toBe(credentialOf('executor', secret));
});

test('the message that is shown is one', () => {
  const [, message = ''] = /```json\n(\{.*\})\n```/.exec(page) ?? [];
  expect(readHints(Buffer.from(message))).toEqual({
    hints: [{ jobId: 17, seq: 0, attempt: 1, traceparent: expect.any(String) }],
  });
});

test.each([
  [
    'a message, in either direction',
    '8 MiB',
    'daemons/shared/grpc/grpc-server.ts',
    'MAX_MESSAGE_BYTES = 8 * 1024 * 1024',
  ],
  ['types in one offer or subscription', '1,000', 'daemons/jobs/edges/grpc-service.ts', 'MAX_TYPES = 1_000'],
  [
    'credit in one message, and in sum',
    '10,000',
    'daemons/jobs/dispatch/subscription.ts',
    'MAX_CREDIT = 10_000',
  ],
  [
    'tasks in one message of Jobs',
    '4 MiB of input',
    'daemons/jobs/edges/grpc-service.ts',
    'MAX_INPUT_BYTES = 4 * 1024 * 1024',
  ],
  ['attempts in one `StartTasks`', '500', 'daemons/jobs/edges/grpc-service.ts', 'MAX_STARTS = 500'],
  ['attempts in one `Heartbeat`', '10,000', 'daemons/jobs/edges/grpc-service.ts', 'MAX_REFS = 10_000'],
  ['of which it tells the progress', '1,000', 'daemons/jobs/edges/check-messages.ts', 'MAX_PROGRESS = 1_000'],
  [
    'outcomes in one `AcknowledgeJob`',
    '10,000, and 8 MiB',
    'daemons/jobs/edges/grpc-service.ts',
    'MAX_REFS = 10_000',
  ],
  [
    'unanswered requests of `ReportOutcomes`',
    '16',
    'daemons/jobs/edges/answer-in-order.ts',
    'MAX_UNANSWERED = 16',
  ],
  ["a broker's message", '1,024 bytes', 'daemons/shared/hints/hint.ts', 'MAX_HINT_BYTES = 1_024'],
  [
    'items of a task',
    '10,000, and 1 MiB',
    'daemons/jobs/input/cut-into-tasks.ts',
    'MAX_TASK_BYTES = 1024 * 1024',
  ],
  [
    'losses and interruptions of a task',
    '9; the tenth ends it',
    'daemons/jobs/transitions/release-attempts.ts',
    'MAX_INTERRUPTIONS = 10',
  ],
  [
    'bytes of an upload that a task reads',
    '4 MiB',
    'daemons/jobs/input/cut-into-tasks.ts',
    'MAX_TASK_RANGE = 4 * 1024 * 1024',
  ],
])('the limit of %s is %s in the code as well', (what, limit, file, constant) => {
  expect(readTable(page, 'limits')).toContainEqual([what, limit]);
  expect(read(file)).toContain(constant);
});

test('no limit is named that is not compared with the code', () => {
  expect(readTable(page, 'limits')).toHaveLength(13);
});
