import { renewTokens } from '../api/auth.ts';
import { postGraphql } from '../api/graphql.ts';
import { asTyped } from '../environment.ts';
import { EXIT, Failure } from '../failure.ts';
import {
  type Credential,
  findCredential,
  notLoggedIn,
  removeCredential,
  storeCredential,
} from './credentials.ts';
import { daemonUrl } from './daemon-url.ts';
import { withCredentialsLock } from './lock.ts';
import type { Daemon, Target } from './profiles.ts';

/** Renewed that long before it expires, so that it does not expire on its way. */
const RENEW_AHEAD_MS = 30_000;

export interface Session {
  readonly target: Target;
  readonly email: string;
  /** Calls a daemon in the user's name; tokens are renewed when need be. */
  call<T>(
    daemon: Daemon,
    query: string,
    variables?: Record<string, unknown>,
    options?: { repeatable?: boolean; signal?: AbortSignal | undefined },
  ): Promise<T>;
  /** Runs a request that needs the access token; once more with a new one if the first is refused. */
  withToken<T>(request: (token: string) => Promise<T>): Promise<T>;
}

/** @throws a Failure when nobody is logged in to the target */
export function openSession(home: string, target: Target, warn: (text: string) => void): Session {
  const found = findCredential(home, target, warn);
  if (!found) throw notLoggedIn(target);
  let credential = found;

  const renew = async (): Promise<string> => {
    credential = await renewCredential(home, target, credential);
    return credential.accessToken;
  };

  const withToken = async <T>(request: (token: string) => Promise<T>): Promise<T> => {
    const expiresIn = Date.parse(credential.expiresAt) - Date.now();
    const fresh = expiresIn > RENEW_AHEAD_MS;
    const token = fresh ? credential.accessToken : await renew();
    try {
      return await request(token);
    } catch (error) {
      if (!fresh || !(error instanceof Failure) || error.code !== 401) throw error;
      return await request(await renew());
    }
  };

  return {
    target,
    email: found.email,
    withToken,
    call: (daemon, query, variables = {}, { repeatable = true, signal } = {}) =>
      withToken((token) =>
        postGraphql({ url: daemonUrl(target, daemon), query, variables, token, repeatable, signal }),
      ),
  };
}

/** Another process may have renewed it meanwhile: then its tokens are used, because the old ones are used up. */
async function renewCredential(home: string, target: Target, old: Credential): Promise<Credential> {
  return withCredentialsLock(home, async () => {
    const stored = findCredential(home, target, () => {});
    if (!stored) throw notLoggedIn(target);
    if (stored.refreshToken !== old.refreshToken) return stored;
    try {
      const tokens = await renewTokens(target, stored.refreshToken);
      const renewed: Credential = { ...stored, ...tokens };
      storeCredential(home, renewed);
      return renewed;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 401) throw error;
      removeCredential(home, target);
      throw new Failure(
        `The session of ${stored.email} at ${target.addresses.auth} has ended: run ${asTyped('login')}`,
        {
          exitCode: EXIT.unauthenticated,
          reason: 'SESSION_ENDED',
          code: 401,
          cause: error,
        },
      );
    }
  });
}
