import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkBaseUrl, forgetSetupToken, rememberProfile, resolveTarget } from './profiles.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'jobber-profiles-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const none = { profile: undefined, server: undefined };
const local = {
  auth: 'http://127.0.0.1:4000',
  jobs: 'http://127.0.0.1:4001',
  products: 'http://127.0.0.1:4003',
};

function writeProfiles(value: unknown): void {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'profiles.json'), typeof value === 'string' ? value : JSON.stringify(value));
}

test('without a profile it is the platform of this machine at its usual ports', () => {
  expect(resolveTarget(home, none).addresses.jobs).toBe('http://127.0.0.1:3001');
});

test('the profile that jobber up wrote is used, with its setup token', () => {
  writeProfiles({ current: 'local', profiles: { local: { ...local, setupToken: 'once' } } });
  expect(resolveTarget(home, none)).toMatchObject({ addresses: local, setupToken: 'once' });
  forgetSetupToken(home, 'local');
  expect(resolveTarget(home, none)).toMatchObject({ addresses: local, setupToken: undefined });
});

test('an address for all daemons wins, and never gets the setup token of another', () => {
  writeProfiles({ current: 'local', profiles: { local: { ...local, setupToken: 'once' } } });
  const { addresses, setupToken } = resolveTarget(home, {
    profile: undefined,
    server: 'https://example.com/',
  });
  expect(addresses).toEqual({
    auth: 'https://example.com',
    jobs: 'https://example.com',
    products: 'https://example.com',
  });
  expect(setupToken).toBeUndefined();
});

test('a remembered profile is the current one from then on, in a file of 0600', () => {
  rememberProfile(home, 'prod', local);
  expect(resolveTarget(home, none).profile).toBe('prod');
  expect(statSync(join(home, 'profiles.json')).mode & 0o777).toBe(0o600);
});

test('an unknown profile is refused with what was probably meant', () => {
  writeProfiles({ current: 'local', profiles: { staging: local } });
  expect(() => resolveTarget(home, { profile: 'stagin', server: undefined })).toThrow(
    'Did you mean staging?',
  );
});

test('a platform knows with which flags it was meant', () => {
  writeProfiles({ current: 'local', profiles: { local, prod: local } });
  const server = 'http://x:1';
  expect(resolveTarget(home, none).asked).toBe('');
  expect(resolveTarget(home, { profile: 'local', server: undefined }).asked).toBe('');
  expect(resolveTarget(home, { profile: 'prod', server: undefined }).asked).toBe(' --profile prod');
  expect(resolveTarget(home, { profile: undefined, server }).asked).toBe(' --server http://x:1');
  expect(resolveTarget(home, { profile: 'new', server }).asked).toBe(' --profile new --server http://x:1');
});

test('a damaged file is named with what to do', () => {
  for (const damaged of ['{', '[]', '{"profiles":{"local":{"auth":"x"}}}', '{"profiles":{"local":7}}']) {
    writeProfiles(damaged);
    expect(() => resolveTarget(home, none)).toThrow('profiles.json is damaged');
  }
});

test('what is no address of a server is refused, and a password in it is not repeated', () => {
  expect(() => checkBaseUrl('localhost:3000')).toThrow('is not an http:// or https:// address');
  expect(() => checkBaseUrl('nonsense')).toThrow('is not an address');
  expect(() => checkBaseUrl('https://a.example/?q=1')).toThrow('has a ? or # part');
  expect(() => checkBaseUrl('https://ada:secret@a.example')).toThrow(
    '"https://…@a.example" holds a user name or password',
  );
});
