import { callerOf } from '@jobber/shared/auth-guard';
import { type ClassifyError, isAppError } from '@jobber/shared/errors';
import type { Resolvers } from '@jobber/shared/graphql';
import { clientAddress, type IsTrustedProxy } from '@jobber/shared/http';
import type { Context } from 'hono';
import type { AuthMetrics } from '../auth-metrics.ts';
import type { IssuedSession } from '../sessions/issued-session.ts';
import { addressKey } from '../throttles/address-key.ts';
import type { CreateUser } from '../use-cases/create-user.ts';
import type { FindMe } from '../use-cases/find-me.ts';
import type { ListUsers } from '../use-cases/list-users.ts';
import type { LogIn } from '../use-cases/log-in.ts';
import type { LogOut } from '../use-cases/log-out.ts';
import type { RefreshSession } from '../use-cases/refresh-session.ts';
import {
  type CookieRules,
  clearAuthenticationCookie,
  setAuthenticationCookie,
} from './authentication-cookie.ts';

export interface ResolverParts {
  readonly createUser: CreateUser;
  readonly logIn: LogIn;
  readonly refreshSession: RefreshSession;
  readonly logOut: LogOut;
  readonly findMe: FindMe;
  readonly listUsers: ListUsers;
  readonly cookie: CookieRules;
  readonly isTrustedProxy: IsTrustedProxy;
  readonly metrics: AuthMetrics;
  readonly classify: ClassifyError;
}

const DEFAULT_PAGE = 50;

/** The fields of `graphql/schema.graphql`; GraphQL has checked the arguments' types. */
export function graphqlResolvers(parts: ResolverParts): Resolvers {
  const { metrics, cookie, classify } = parts;

  function presentSession({ userId, ...session }: IssuedSession, c: Context) {
    setAuthenticationCookie(c, session.accessToken, cookie);
    // An answer with tokens is nobody else's.
    c.header('cache-control', 'no-store');
    return { id: userId, ...session };
  }

  async function counted<T>(counter: AuthMetrics['logins'], work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      counter.inc({ outcome: 'succeeded' });
      return result;
    } catch (error) {
      const refusal = isAppError(error) ? error : classify(error);
      counter.inc({ outcome: refusal?.reason.toLowerCase() ?? 'failed' });
      throw error;
    }
  }

  return {
    async me(_: unknown, c: Context) {
      return await parts.findMe(await callerOf(c).identity());
    },

    async users({ limit, before }: { limit?: number | null; before?: string | null }, c: Context) {
      const identity = await callerOf(c).identity();
      return await parts.listUsers(identity, { limit: limit ?? DEFAULT_PAGE, before: before ?? undefined });
    },

    async createUser({ createUserInput }: { createUserInput: CreateUserInput }, c: Context) {
      const { email, password, setupToken } = createUserInput;
      return await parts.createUser({
        email,
        password,
        setupToken: setupToken ?? undefined,
        address: addressOf(c, parts.isTrustedProxy),
      });
    },

    async login({ loginInput }: { loginInput: LoginInput }, c: Context) {
      const { email, password } = loginInput;
      const session = await counted(metrics.logins, () =>
        parts.logIn({ email, password, address: addressOf(c, parts.isTrustedProxy) }),
      );
      return presentSession(session, c);
    },

    async refresh({ refreshToken }: { refreshToken: string }, c: Context) {
      const session = await counted(metrics.refreshes, () => parts.refreshSession(refreshToken));
      return presentSession(session, c);
    },

    async logout(_: unknown, c: Context) {
      await parts.logOut(await callerOf(c).identity());
      clearAuthenticationCookie(c, cookie);
      return true;
    },
  };
}

interface CreateUserInput {
  readonly email: string;
  readonly password: string;
  readonly setupToken?: string | null;
}

interface LoginInput {
  readonly email: string;
  readonly password: string;
}

function addressOf(c: Context, isTrustedProxy: IsTrustedProxy): string {
  return addressKey(clientAddress(c, isTrustedProxy));
}
