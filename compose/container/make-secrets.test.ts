import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeSecrets } from './make-secrets.ts';

const CHOSEN = '0f4a8c1d9e7b36251a2b3c4d5e6f7081';

function emptyVolumes(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jobber-secrets-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ['postgres', 'auth', 'jobs', 'executor', 'products']) mkdirSync(join(folder, name));
  return folder;
}

function contents(folder: string): Record<string, string> {
  const files = globSync('*/*', { cwd: folder }).sort();
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

test('each consumer gets what it needs and nothing else', () => {
  const folder = emptyVolumes();
  makeSecrets(folder, {});
  const secrets = contents(folder);
  expect(Object.keys(secrets)).toEqual([
    'auth/database-url',
    'auth/service-secret',
    'auth/setup-token',
    'executor/service-secret',
    'jobs/database-url',
    'jobs/service-secret',
    'postgres/auth-password',
    'postgres/jobs-password',
    'postgres/postgres-password',
    'postgres/products-password',
    'products/database-url',
    'products/service-secret',
  ]);
  expect(secrets['executor/service-secret']).toBe(secrets['auth/service-secret']);
  expect(secrets['jobs/database-url']).toBe(
    `postgresql://jobs:${secrets['postgres/jobs-password']}@postgres:5432/jobs`,
  );
  expect(new Set(Object.values(secrets)).size).toBe(9);
  for (const secret of Object.values(secrets)) expect(secret.length).toBeGreaterThanOrEqual(64);
});

test('nobody but its owner may read a secret; PostgreSQL, another user, has a folder of its own', () => {
  const folder = emptyVolumes();
  makeSecrets(folder, {});
  for (const file of globSync('*/*', { cwd: folder })) {
    const mode = statSync(join(folder, file)).mode & 0o777;
    expect([file, mode]).toEqual([file, file.startsWith('postgres/') ? 0o444 : 0o400]);
  }
});

test('what is there stays, and what was lost is made again from what is left of it', () => {
  const folder = emptyVolumes();
  makeSecrets(folder, {});
  const before = contents(folder);
  expect(makeSecrets(folder, {})).toEqual([]);
  rmSync(join(folder, 'jobs/service-secret'));
  rmSync(join(folder, 'postgres/jobs-password'));
  expect(makeSecrets(folder, {})).toEqual(['jobs/service-secret', 'postgres/jobs-password']);
  expect(contents(folder)).toEqual(before);
});

test('a chosen secret is used, also later in place of the one that was made; a weak one is refused', () => {
  const folder = emptyVolumes();
  makeSecrets(folder, {});
  makeSecrets(folder, { SERVICE_SECRET: CHOSEN, AUTH_SETUP_TOKEN: '' });
  expect(contents(folder)).toMatchObject({
    'auth/service-secret': CHOSEN,
    'executor/service-secret': CHOSEN,
  });
  const before = contents(folder);
  expect(() => makeSecrets(folder, { SERVICE_SECRET: 'hunter2', AUTH_SETUP_TOKEN: 'hunter3' })).toThrow(
    expect.objectContaining({
      problems: [
        'SERVICE_SECRET must have at least 32 characters; its value is not shown',
        'AUTH_SETUP_TOKEN must have at least 32 characters; its value is not shown',
      ],
    }),
  );
  expect(contents(folder)).toEqual(before);
});
