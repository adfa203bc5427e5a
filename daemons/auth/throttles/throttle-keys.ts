import { createHash } from 'node:crypto';

/**
 * The count for logins to one account. Keyed by the email, not by the user, so that accounts that do not exist behave
 * the same; hashed, because what is typed there is sometimes a password. An address from which the account has logged
 * in before has a count of its own: however hard others guess from elsewhere, its owner gets in.
 */
export function loginKey(email: string, knownAddress: string | undefined): string {
  const account = `login:${createHash('sha256').update(email).digest('base64url')}`;
  return knownAddress === undefined ? account : `${account}@${knownAddress}`;
}

export function addressLoginKey(address: string): string {
  return `address:${address}`;
}

export function registrationKey(address: string): string {
  return `registration:${address}`;
}

/** The count of those who were registered; `registrationKey` counts failures. */
export function registeredKey(address: string): string {
  return `registered:${address}`;
}
