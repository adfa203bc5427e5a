import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadDaemonConfig, postgresUrl, setting } from './index.ts';

const STRONG = '0f4a8c1d9e7b36251a2b3c4d5e6f7081';
const SETTINGS = { url: setting('X_URL', postgresUrl(), { secret: true }) };

function fileWith(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'jobber-secret-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'secret');
  writeFileSync(file, content);
  return file;
}

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadDaemonConfig(SETTINGS, environment);
    return [];
  } catch (error) {
    return (error as { problems: readonly string[] }).problems;
  }
}

test('a secret is read from the file that its _FILE variable names, without the line break at the end', () => {
  const config = loadDaemonConfig(SETTINGS, {
    SERVICE_SECRET_FILE: fileWith(`${STRONG}\n`),
    X_URL_FILE: fileWith('postgresql://x:y@host/db\r\n'),
  });
  expect(config.serviceSecret).toBe(STRONG);
  expect(config.url).toBe('postgresql://x:y@host/db');
  expect(Object.keys(config.publicEnvironment).sort()).toEqual(['SERVICE_SECRET_FILE', 'X_URL_FILE']);
});

test('a secret from a file is as strong as any other, and is not shown either', () => {
  const environment = { SERVICE_SECRET_FILE: fileWith('hunter2'), X_URL: 'postgresql://host/db' };
  expect(problemsOf(environment)).toEqual([
    'SERVICE_SECRET must have at least 32 characters; its value is not shown',
  ]);
});

test('a file that is missing, empty or endless names its variable, and what else is wrong is told too', () => {
  expect(problemsOf({ SERVICE_SECRET_FILE: '/no/such/file', X_URL: 'mysql://h/d' })).toEqual([
    'SERVICE_SECRET_FILE must name a readable file; got ENOENT',
    expect.stringContaining('SERVICE_SECRET must be set'),
    expect.stringContaining('X_URL must be a URL'),
  ]);
  expect(problemsOf({ SERVICE_SECRET: STRONG, X_URL_FILE: fileWith('\n') })).toContain(
    'X_URL_FILE must name a readable file; it is empty',
  );
  expect(problemsOf({ SERVICE_SECRET: STRONG, X_URL_FILE: fileWith('x'.repeat(65_537)) })).toContain(
    'X_URL_FILE must name a readable file; it has more than 65536 characters',
  );
});

test('a variable and its file are not both set: nobody could say which of them counts', () => {
  const environment = {
    SERVICE_SECRET: STRONG,
    SERVICE_SECRET_FILE: fileWith(STRONG),
    X_URL: 'postgresql://h/d',
  };
  expect(problemsOf(environment)).toEqual(['SERVICE_SECRET and SERVICE_SECRET_FILE must not both be set']);
});
