import type { Database } from '@jobber/db/connection';
import { refuse } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import type { SignAccessToken } from '../access-tokens/sign-access-token.ts';
import { normalizeEmail } from '../emails/normalize-email.ts';
import { passwordBytes } from '../passwords/password-bytes.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import { createRefreshToken } from '../refresh-tokens/refresh-token.ts';
import type { IssuedSession } from '../sessions/issued-session.ts';
import { startSession } from '../sessions/start-session.ts';
import { countAttempt, countFailure } from '../throttles/count-attempt.ts';
import { forgetFailures } from '../throttles/forget-failures.ts';
import { refuseWhileBlocked } from '../throttles/refuse-while-blocked.ts';
import { createTurns } from '../throttles/take-turns.ts';
import { addressLoginKey, loginKey } from '../throttles/throttle-keys.ts';
import { ACCOUNT_RULE, ADDRESS_RULE } from '../throttles/throttle-rules.ts';
import { type Credentials, findCredentials } from '../users/find-credentials.ts';

export interface Login {
  readonly email: string;
  readonly password: string;
  /** Of the one who asks, as `addressKey` writes it. */
  readonly address: string;
}

export type LogIn = (login: Login) => Promise<IssuedSession>;

const MAX_WAITING_FOR_ONE_ACCOUNT = 64;

/**
 * Exchanges an email and a password for a session.
 *
 * Whether the email is unknown, the user deactivated or the password wrong, the work and the answer are the same.
 * Guessing is slowed in the database, for all replicas: per account (a delay that grows to 30 s), whatever the
 * addresses, and per address, whatever the accounts. Each address from which an account has logged in before has a
 * count of its own and is not held up by others, so that nobody can lock the owner out.
 * @throws AppError CREDENTIALS_INVALID, THROTTLED, UNAVAILABLE
 */
export function buildLogIn(parts: {
  database: Database;
  hasher: PasswordHasher;
  signAccessToken: SignAccessToken;
  refreshTokenTtlDays: number;
  log: Logger;
}): LogIn {
  const { database, hasher, signAccessToken, refreshTokenTtlDays, log } = parts;
  const takeTurn = createTurns({ maxWaiting: MAX_WAITING_FOR_ONE_ACCOUNT });

  return async function logIn({ email: typedEmail, password, address }) {
    const email = normalizeEmail(typedEmail) ?? typedEmail;
    const credentials = await findCredentials(database, { email: withoutNul(email), address });
    if (!credentials?.addressIsKnown) await refuseWhileBlocked(database, addressLoginKey(address));
    const key = loginKey(email, credentials?.addressIsKnown ? address : undefined);

    await takeTurn(key, async () => {
      await countAttempt(database, key, ACCOUNT_RULE);
      if (await hasher.verify(credentials?.passwordHash, passwordBytes(password))) {
        await forgetFailures(database, key);
        return;
      }
      await countFailure(database, addressLoginKey(address), ADDRESS_RULE);
      refuseCredentials();
    });
    return await issueSession(email, credentials ?? refuseCredentials(), address);
  };

  async function issueSession(
    email: string,
    credentials: Credentials,
    address: string,
  ): Promise<IssuedSession> {
    const { userId, passwordHash } = credentials;
    const refreshToken = createRefreshToken();
    const sessionId = await startSession(database, {
      userId,
      passwordHash,
      address,
      refreshTokenHash: refreshToken.hash,
      ttlDays: refreshTokenTtlDays,
    });
    if (sessionId === undefined) refuseCredentials();
    const { token, expiresAt } = await signAccessToken({ userId, sessionId });
    log.info({ userId, sessionId }, 'logged in');
    return { userId, email, accessToken: token, refreshToken: refreshToken.token, expiresAt };
  }
}

function refuseCredentials(): never {
  refuse('CREDENTIALS_INVALID', 'Credentials are invalid');
}

/** PostgreSQL's text holds no NUL; no stored email has one either. */
function withoutNul(email: string): string {
  return email.includes('\0') ? '' : email;
}
