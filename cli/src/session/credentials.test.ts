import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { credentialsPath, findCredential, removeCredential, storeCredential } from './credentials.ts';

let home = '';
beforeEach(() => {
  home = join(mkdtempSync(join(tmpdir(), 'jobber-credentials-')), 'jobber');
});
afterEach(() => rmSync(join(home, '..'), { recursive: true }));

const addresses = { auth: 'http://a:1', jobs: 'http://a:2', products: 'http://a:3' };
const target = { profile: 'local', addresses, setupToken: undefined };
const credential = {
  profile: 'local',
  addresses,
  userId: 'u1',
  email: 'ada@example.com',
  accessToken: 'a',
  refreshToken: 'r',
  expiresAt: '2999-01-01T00:00:00Z',
};
const ignore = () => {};

test('credentials are kept in a 0600 file in a 0700 folder, and nothing else is left there', () => {
  storeCredential(home, credential);
  expect(statSync(home).mode & 0o777).toBe(0o700);
  expect(statSync(credentialsPath(home)).mode & 0o777).toBe(0o600);
  expect(readdirSync(home)).toEqual(['credentials.json']);
  expect(findCredential(home, target, ignore)).toEqual(credential);
});

test.each(['auth', 'jobs', 'products'] as const)(
  'another address of %s does not get the tokens',
  (daemon) => {
    storeCredential(home, credential);
    const moved = { ...target, addresses: { ...addresses, [daemon]: 'http://evil:1' } };
    expect(findCredential(home, moved, ignore)).toBeUndefined();
  },
);

test('another profile does not get the tokens', () => {
  storeCredential(home, credential);
  expect(findCredential(home, { ...target, profile: 'prod' }, ignore)).toBeUndefined();
});

test('logins at several platforms stand beside each other', () => {
  const other = { ...credential, profile: 'prod' };
  storeCredential(home, credential);
  storeCredential(home, other);
  removeCredential(home, target);
  expect(findCredential(home, target, ignore)).toBeUndefined();
  expect(findCredential(home, { ...target, profile: 'prod' }, ignore)).toEqual(other);
});

test('a file that others can read is closed, with a warning', () => {
  storeCredential(home, credential);
  chmodSync(credentialsPath(home), 0o644);
  const warn = vi.fn();
  findCredential(home, target, warn);
  expect(warn).toHaveBeenCalledExactlyOnceWith(
    expect.stringContaining('was open to other users (mode 0644)'),
  );
  expect(statSync(credentialsPath(home)).mode & 0o777).toBe(0o600);
});

test('a damaged file is named with what to do, and left as it is', () => {
  storeCredential(home, credential);
  for (const damaged of ['', '{', 'null', '{"credentials":{}}', '{"credentials":[{"profile":"local"}]}']) {
    writeFileSync(credentialsPath(home), damaged);
    expect(() => findCredential(home, target, ignore)).toThrow(
      "credentials.json is damaged and can't be used: delete it and log in again with jobber login",
    );
    expect(readFileSync(credentialsPath(home), 'utf8')).toBe(damaged);
  }
});
