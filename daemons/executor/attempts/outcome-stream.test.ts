import {
  AckStatus,
  type ReportOutcomesRequest,
  type ReportOutcomesResponse,
} from '@jobber/proto/jobs/v1/jobs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createOutcomeStream } from './outcome-stream.ts';

type Answer = (
  requests: AsyncIterable<ReportOutcomesRequest>,
) => AsyncGenerator<ReportOutcomesResponse, void, undefined>;

function openStream(answer: Answer) {
  let opened = 0;
  const reportOutcomes = (requests: AsyncIterable<ReportOutcomesRequest>) => {
    opened += 1;
    return answer(requests);
  };
  const stream = createOutcomeStream({ reportOutcomes: reportOutcomes as never });
  onTestFinished(() => stream.close());
  return { stream, opened: () => opened };
}

const request = (count: number): ReportOutcomesRequest => ({
  executorId: 'test',
  outcomes: Array.from({ length: count }, () => ({}) as never),
});

async function* recordAll(requests: AsyncIterable<ReportOutcomesRequest>) {
  for await (const { outcomes } of requests) yield { statuses: outcomes.map(() => AckStatus.RECORDED) };
}

test('requests of one stream are answered in their order', async () => {
  const { stream, opened } = openStream(recordAll);
  const answers = await Promise.all([1, 2, 3].map((count) => stream.send(request(count))));
  expect(answers.map(({ statuses }) => statuses.length)).toEqual([1, 2, 3]);
  expect((await stream.send(request(4))).statuses).toHaveLength(4);
  expect(opened()).toBe(1);
});

test('when a stream fails, all that is unanswered fails, and no other is tried for a second', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  let healthy = false;
  const { stream, opened } = openStream(async function* fail(requests) {
    if (healthy) yield* recordAll(requests);
    for await (const _ of requests) throw new Error('refused');
  });
  const failed = await Promise.allSettled([stream.send(request(1)), stream.send(request(2))]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  healthy = true;
  await expect(stream.send(request(1))).rejects.toThrow('There is no stream of outcomes');
  expect(opened()).toBe(1);
  vi.advanceTimersByTime(1_000);
  expect((await stream.send(request(1))).statuses).toHaveLength(1);
  expect(opened()).toBe(2);
});

test('an answer that does not come in time ends the stream', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { stream } = openStream(async function* silent(requests) {
    for await (const _ of requests) await new Promise(() => {});
    yield { statuses: [] };
  });
  const sent = expect(stream.send(request(1))).rejects.toThrow('Jobs did not answer on the stream in time');
  await vi.advanceTimersByTimeAsync(10_000);
  await sent;
});

test('a closed stream takes nothing more', async () => {
  const { stream } = openStream(recordAll);
  await stream.send(request(1));
  stream.close();
  await expect(stream.send(request(1))).rejects.toThrow('There is no stream of outcomes');
});
