import { chmodSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { asTyped } from '../environment.ts';
import { EXIT, Failure, usageFailure } from '../failure.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';
import type { Addresses, Target } from './profiles.ts';

/** One login. Its tokens go to these addresses and to no other. */
export interface Credential {
  readonly profile: string;
  readonly addresses: Addresses;
  readonly userId: string;
  readonly email: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** ISO time. */
  readonly expiresAt: string;
}

export function credentialsPath(home: string): string {
  return join(home, 'credentials.json');
}

/** @param warn told when the file was open to others; it is closed then, because the tokens may be renewed any time */
export function findCredential(
  home: string,
  target: Target,
  warn: (text: string) => void,
): Credential | undefined {
  return readCredentials(home, warn).find((credential) => belongsTo(credential, target));
}

/** Call it under the lock. */
export function storeCredential(home: string, credential: Credential): void {
  const others = readCredentials(home, () => {}).filter((other) => !belongsTo(other, credential));
  save(home, [...others, credential]);
}

/** Call it under the lock. */
export function removeCredential(home: string, target: Pick<Target, 'profile' | 'addresses'>): void {
  const credentials = readCredentials(home, () => {});
  const others = credentials.filter((credential) => !belongsTo(credential, target));
  if (others.length < credentials.length) save(home, others);
}

export function notLoggedIn(target: Target): Failure {
  return new Failure(
    `Not logged in to ${target.addresses.auth} (profile ${target.profile}): run ${asTyped(`login${target.asked ?? ''}`)}`,
    {
      exitCode: EXIT.unauthenticated,
      reason: 'NOT_LOGGED_IN',
    },
  );
}

function belongsTo(credential: Credential, target: Pick<Target, 'profile' | 'addresses'>): boolean {
  const { auth, jobs, products } = credential.addresses;
  const wanted = target.addresses;
  return (
    credential.profile === target.profile &&
    auth === wanted.auth &&
    jobs === wanted.jobs &&
    products === wanted.products
  );
}

function readCredentials(home: string, warn: (text: string) => void): Credential[] {
  const path = credentialsPath(home);
  const text = readPrivateFile(path);
  if (text === undefined) return [];
  closeToOthers(path, warn);
  try {
    const value = JSON.parse(text) as { credentials?: unknown };
    if (!Array.isArray(value?.credentials)) throw new Error('no credentials');
    return value.credentials.map(checkCredential);
  } catch {
    throw usageFailure(
      `${path} is damaged and can't be used: delete it and log in again with ${asTyped('login')}`,
      'CREDENTIALS_DAMAGED',
    );
  }
}

function closeToOthers(path: string, warn: (text: string) => void): void {
  const mode = lstatSync(path).mode & 0o777;
  if ((mode & 0o077) === 0 || process.platform === 'win32') return;
  const octal = mode.toString(8).padStart(4, '0');
  try {
    chmodSync(path, 0o600);
  } catch {
    throw usageFailure(
      `${path} is open to other users (mode ${octal}) and can't be closed: make it yours with mode 0600, or delete it and log in again`,
      'CREDENTIALS_EXPOSED',
    );
  }
  warn(
    `${path} was open to other users (mode ${octal}); it is closed now (0600). If others use this machine, log out and in again`,
  );
}

function checkCredential(value: unknown): Credential {
  const credential = value as Credential;
  const texts = [
    credential.profile,
    credential.userId,
    credential.email,
    credential.accessToken,
    credential.refreshToken,
    credential.expiresAt,
    credential.addresses.auth,
    credential.addresses.jobs,
    credential.addresses.products,
  ];
  if (!texts.every((text) => typeof text === 'string')) throw new Error('a field is missing');
  return credential;
}

function save(home: string, credentials: Credential[]): void {
  writePrivateFile(credentialsPath(home), `${JSON.stringify({ credentials }, null, 2)}\n`);
}
