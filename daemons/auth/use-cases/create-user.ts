import { createHash, timingSafeEqual } from 'node:crypto';
import type { Database } from '@jobber/db/connection';
import { refuse } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import { requireEmail } from '../emails/normalize-email.ts';
import { requirePasswordBytes } from '../passwords/password-bytes.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import { countFailure } from '../throttles/count-attempt.ts';
import { countRegistration, takeBackRegistration } from '../throttles/count-registration.ts';
import { refuseWhileBlocked } from '../throttles/refuse-while-blocked.ts';
import { registeredKey, registrationKey } from '../throttles/throttle-keys.ts';
import { REGISTRATION_RULE } from '../throttles/throttle-rules.ts';
import { insertFirstAdmin, insertMember } from '../users/insert-user.ts';
import type { User } from '../users/user.ts';

export interface NewUser {
  readonly email: string;
  readonly password: string;
  /** Makes the user the platform's administrator, once. */
  readonly setupToken: string | undefined;
  /** Of the one who asks, as `addressKey` writes it. */
  readonly address: string;
}

export type CreateUser = (newUser: NewUser) => Promise<User>;

/**
 * Registers a user as a member, or, with the setup token of an empty platform, as its administrator.
 *
 * Whoever registers learns whether an address is taken; that can't be hidden without sending mail. So such answers, and
 * wrong setup tokens, are counted by address and slowed down. So many an hour are registered from one address and no
 * more: each user has a quota of uploads of their own.
 * @throws AppError INVALID_INPUT, EMAIL_TAKEN, FORBIDDEN (the setup token), THROTTLED, UNAVAILABLE
 */
export function buildCreateUser(parts: {
  database: Database;
  hasher: PasswordHasher;
  /** None is valid when there is none. */
  setupToken: string | undefined;
  /** From one address; 0: any number. */
  registrationsPerHour: number;
  log: Logger;
}): CreateUser {
  const { database, hasher, registrationsPerHour, log } = parts;

  return async function createUser({ email, password, setupToken, address }) {
    const normalized = requireEmail(email);
    const bytes = requirePasswordBytes(password);
    const key = registrationKey(address);
    await refuseWhileBlocked(database, key);
    if (setupToken !== undefined && !isSame(setupToken, parts.setupToken)) {
      await countFailure(database, key, REGISTRATION_RULE);
      refuse('FORBIDDEN', 'Forbidden: the setup token is not valid');
    }
    const register = async () => {
      const account = { email: normalized, passwordHash: await hasher.hash(bytes) };
      return await (setupToken === undefined
        ? insertMember(database, account)
        : insertFirstAdmin(database, account));
    };
    const outcome = await limited(address, register);
    if (outcome === 'email taken') {
      await countFailure(database, key, REGISTRATION_RULE);
      refuse('EMAIL_TAKEN', 'A user with this email exists already');
    }
    if (outcome === 'set up already') {
      refuse('FORBIDDEN', 'Forbidden: the setup token has been used; the platform has an administrator');
    }
    log.info({ userId: outcome.id, roles: outcome.roles }, 'user created');
    return outcome;
  };

  /** Only who is registered counts. */
  async function limited<T>(address: string, register: () => Promise<User | T>): Promise<User | T> {
    if (registrationsPerHour === 0) return await register();
    const key = registeredKey(address);
    await countRegistration(database, key, registrationsPerHour);
    let registered = false;
    try {
      const outcome = await register();
      registered = typeof outcome === 'object';
      return outcome;
    } finally {
      if (!registered) await takeBackRegistration(database, key);
    }
  }
}

/** Compares in a time that tells nothing about either. */
function isSame(given: string, expected: string | undefined): boolean {
  const equal = timingSafeEqual(sha256(given), sha256(expected ?? ''));
  return equal && expected !== undefined;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
