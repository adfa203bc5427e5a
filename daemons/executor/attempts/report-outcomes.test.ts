import { AckStatus, type AttemptOutcome } from '@jobber/proto/jobs/v1/jobs';
import type { Logger } from '@jobber/shared/log';
import { ClientError, Status } from 'nice-grpc';
import { expect, test } from 'vitest';
import type { Attempt } from './attempt.ts';
import { createReports } from './report-outcomes.ts';

function recordLog(): { lines: string[]; log: Logger } {
  const lines: string[] = [];
  const at = (level: string) => (_fields: object, message: string) => void lines.push(`${level}: ${message}`);
  const log = { debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') };
  return { lines, log: log as unknown as Logger };
}

function fakeAttempt(seq: number): Attempt {
  const ref = { jobId: 1, seq, attempt: 1 };
  return { ref, task: { slug: 'echo', ref }, leaseUntil: performance.now() + 60_000 } as unknown as Attempt;
}

const outcome = { durationMs: 1, items: [] } as unknown as AttemptOutcome;
const noStream = { send: () => Promise.reject(new Error('no stream')), close: () => {} };
const unavailable = () => new ClientError('/Jobs/AcknowledgeJob', Status.UNAVAILABLE, 'connection refused');

test('an outage of Jobs is two lines in the log, however many outcomes wait for its end', async () => {
  const { lines, log } = recordLog();
  let calls = 0;
  const client = {
    acknowledgeJob: async ({ outcomes = [] }: { outcomes?: readonly unknown[] }) => {
      calls += 1;
      if (calls <= 6) throw unavailable();
      return { statuses: outcomes.map(() => AckStatus.RECORDED) };
    },
  };
  const reports = createReports({ client, stream: noStream, executorId: 'test', log });
  const results = await Promise.all([1, 2, 3, 4, 5].map((seq) => reports.report(fakeAttempt(seq), outcome)));
  expect(results).toEqual(Array(5).fill('recorded'));
  expect(lines).toEqual([
    'warn: reporting outcomes to Jobs fails; trying again',
    'info: Jobs takes outcomes again',
  ]);
});

test('who stops gives up what Jobs does not answer in the time it has', async () => {
  const { lines, log } = recordLog();
  const client = { acknowledgeJob: () => Promise.reject(unavailable()) };
  const reports = createReports({ client, stream: noStream, executorId: 'test', log });
  const reported = reports.report(fakeAttempt(1), outcome);
  reports.finishWithin(50);
  expect(await reported).toBe('unanswered');
  expect(lines.at(-1)).toContain('an outcome could not be reported');
});
