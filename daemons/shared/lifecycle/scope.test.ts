import { createLogger } from '@jobber/shared/log';
import { expect, test } from 'vitest';
import { createScope } from './scope.ts';

const log = createLogger({ daemon: 'test', level: 'silent' });

test('releases run in exact reverse order, once, however often release is called', async () => {
  const released: string[] = [];
  const scope = createScope(log);
  for (const name of ['database', 'http', 'grpc']) scope.defer(name, () => void released.push(name));
  await Promise.all([scope.release(), scope.release()]);
  await scope.release();
  expect(released).toEqual(['grpc', 'http', 'database']);
});

test('a failing release does not keep the others, and the first error is the one that is told', async () => {
  const released: string[] = [];
  const scope = createScope(log);
  scope.defer('database', () => void released.push('database'));
  scope.defer('http', () => Promise.reject(new Error('second')));
  scope.defer('grpc', () => Promise.reject(new Error('first')));
  await expect(scope.release()).rejects.toThrow('first');
  expect(released).toEqual(['database']);
});

test('what is opened after the release has begun is released as well', async () => {
  const released: string[] = [];
  const scope = createScope(log);
  const done = scope.release();
  scope.defer('late', () => void released.push('late'));
  await done;
  await scope.release();
  expect(released).toEqual(['late']);
});

test('what is opened late is released also when another release has failed', async () => {
  const released: string[] = [];
  const scope = createScope(log);
  scope.defer('grpc', () => Promise.reject(new Error('first')));
  await expect(scope.release()).rejects.toThrow('first');
  scope.defer('late', () => void released.push('late'));
  await expect(scope.release()).rejects.toThrow('first');
  expect(released).toEqual(['late']);
});
