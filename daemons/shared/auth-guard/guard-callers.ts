import { AppError } from '@jobber/shared/errors';
import type { Context, MiddlewareHandler } from 'hono';
import { presentedToken } from './presented-token.ts';

/** Who makes a request, and what they may do. */
export interface Identity {
  /** UUID. */
  readonly userId: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  /** UUID of the login. */
  readonly sessionId: string;
}

/** Finds out whose token it is: `undefined` for a token that is not valid. Rejects with UNAVAILABLE when it can't tell. */
export type Authenticate = (token: string) => Promise<Identity | undefined>;

/** The one who makes a request; asked for only where a request needs an identity, and only once. */
export interface Caller {
  /** @throws AppError 401 UNAUTHENTICATED, 403 CROSS_SITE, 503 UNAVAILABLE */
  identity(): Promise<Identity>;
  /** Asks anew, for answers that last: the login may have ended meanwhile. @throws like `identity` */
  identityNow(): Promise<Identity>;
}

const CALLER = 'jobber.caller';

/** Gives each request a `Caller`. It refuses nobody by itself. */
export function guardCallers(authenticate: Authenticate): MiddlewareHandler {
  return async function guard(c, next) {
    let identity: Promise<Identity> | undefined;
    const caller: Caller = {
      identity() {
        identity ??= identify(c, authenticate);
        return identity;
      },
      identityNow: () => identify(c, authenticate),
    };
    c.set(CALLER, caller);
    await next();
  };
}

export function callerOf(c: Context): Caller {
  return c.get(CALLER) as Caller;
}

async function identify(c: Context, authenticate: Authenticate): Promise<Identity> {
  const token = presentedToken(c);
  const identity = token ? await authenticate(token) : undefined;
  if (!identity) throw new AppError('UNAUTHENTICATED', 'Unauthorized');
  return identity;
}
