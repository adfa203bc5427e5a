import { JobsServiceDefinition } from '@jobber/proto/jobs/v1/jobs';
import { createGrpcClient } from '@jobber/shared/grpc';
import { createScope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { ClientError, Status } from 'nice-grpc';
import { expect, onTestFinished, test } from 'vitest';
import { startFakeJobs } from '../testing/test-executor.ts';
import { SERVICE_SECRET, type TaskToSubmit } from '../testing/test-fake-jobs.ts';
import { readTaskItems, takeTaskItems } from './read-task-items.ts';
import { retryReading } from './retry-reading.ts';

const never = new AbortController().signal;
const SCHEMA = {
  type: 'object',
  properties: { name: { type: 'string' }, stock: { type: 'integer' } },
  required: ['name', 'stock'],
};

async function read(task: TaskToSubmit, schema: Record<string, unknown> = SCHEMA) {
  const jobs = await startFakeJobs();
  const scope = createScope(createLogger({ daemon: 'test', level: 'silent' }));
  onTestFinished(() => scope.release());
  const client = createGrpcClient(JobsServiceDefinition, {
    address: `127.0.0.1:${jobs.port}`,
    caller: 'executor',
    serviceSecret: SERVICE_SECRET,
    tls: undefined,
    scope,
  });
  const { task: leased } = jobs.submit(task);
  if (leased.input?.$case !== 'upload') return takeTaskItems(leased);
  const source = { client, executorId: 'test' };
  return readTaskItems(source, leased, leased.input.value, { inputSchema: schema }, never);
}

const upload = (format: string, text: string, csvHeader: string[] = []) => ({
  upload: { format, bytes: Buffer.from(text), csvHeader },
  slug: 'echo',
  firstItem: 100,
});

test('items inline', async () => {
  expect(await read({ slug: 'echo', items: [{ a: 1 }, 'two'], firstItem: 5 })).toEqual([
    { offset: 0, index: 5, value: { a: 1 } },
    { offset: 1, index: 6, value: 'two' },
  ]);
});

test.each([
  ['json', '{"name":"é","stock":1},\n{"name":"b","stock":2}'],
  ['ndjson', '{"name":"é","stock":1}\n{"name":"b","stock":2}\n'],
  ['csv', 'é,1\nb,2\n'],
])('the slice of an upload (%s), of which only some items are undecided', async (format, text) => {
  const task = { ...upload(format, text, ['name', 'stock']), itemCount: 2 };
  expect(await read(task)).toEqual([
    { offset: 0, index: 100, value: { name: 'é', stock: 1 } },
    { offset: 1, index: 101, value: { name: 'b', stock: 2 } },
  ]);
  expect(await read({ ...task, offsets: [1] })).toEqual([
    { offset: 1, index: 101, value: { name: 'b', stock: 2 } },
  ]);
});

test("a CSV field that does not fit the type's schema is a problem of its item alone", async () => {
  const items = await read({ ...upload('csv', 'a,1\nb,many\n', ['name', 'stock']), itemCount: 2 });
  expect(items).toEqual([
    { offset: 0, index: 100, value: { name: 'a', stock: 1 } },
    { offset: 1, index: 101, problem: 'stock: expected an integer, got "many"' },
  ]);
});

test('an upload that has changed is refused', async () => {
  await expect(read({ ...upload('ndjson', '{"name":"a"}\n'), itemCount: 2 })).rejects.toThrow(
    /The file changed: expected 2 records/,
  );
  await expect(read({ ...upload('ndjson', '{"name":}\n'), itemCount: 1 })).rejects.toThrow(
    /The file changed/,
  );
});

test('a task whose items are not as many as it says is refused', async () => {
  await expect(read({ slug: 'echo', items: [1, 2], itemCount: 3 })).rejects.toThrow(
    'The task has 3 items, but its input has 2',
  );
  await expect(read({ slug: 'echo', items: [1], offsets: [1] })).rejects.toThrow('none at offset 1');
});

test('reading is tried again while Jobs can not be reached, and given up for other reasons', async () => {
  let calls = 0;
  const problems: string[] = [];
  const result = await retryReading(
    async () => {
      calls += 1;
      if (calls < 3) throw new ClientError('/Jobs/ReadUpload', Status.UNAVAILABLE, 'not now');
      return 'read';
    },
    never,
    (problem) => problems.push(problem),
  );
  expect([result, calls, problems.length]).toEqual(['read', 3, 2]);
  const missing = new ClientError('/Jobs/ReadUpload', Status.NOT_FOUND, 'no such bytes');
  await expect(
    retryReading(
      () => Promise.reject(missing),
      never,
      () => {},
    ),
  ).rejects.toBe(missing);
});
