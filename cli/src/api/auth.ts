import { daemonUrl } from '../session/daemon-url.ts';
import type { Target } from '../session/profiles.ts';
import { postGraphql } from './graphql.ts';

export interface User {
  readonly id: string;
  readonly email: string;
  readonly roles: string[];
  readonly createdAt: string;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAt: string;
}

const USER = 'id email roles createdAt';

export const ME = `query Me { me { ${USER} } }`;
export const LOGOUT = 'mutation Logout { logout }';

export async function createUser(
  target: Target,
  createUserInput: { email: string; password: string; setupToken: string | undefined },
): Promise<User> {
  const query = `mutation Register($createUserInput: CreateUserInput!) { createUser(createUserInput: $createUserInput) { ${USER} } }`;
  const url = daemonUrl(target, 'auth');
  const data = await postGraphql<{ createUser: User }>({
    url,
    query,
    variables: { createUserInput },
    repeatable: false,
  });
  return data.createUser;
}

export async function logIn(
  target: Target,
  loginInput: { email: string; password: string },
): Promise<Tokens & { id: string; email: string }> {
  const query =
    'mutation Login($loginInput: LoginInput!) { login(loginInput: $loginInput) { id email accessToken refreshToken expiresAt } }';
  const url = daemonUrl(target, 'auth');
  const data = await postGraphql<{ login: Tokens & { id: string; email: string } }>({
    url,
    query,
    variables: { loginInput },
    repeatable: false,
  });
  return data.login;
}

/** The refresh token is used up by it, so a lost answer can't be asked for again. */
export async function renewTokens(target: Target, refreshToken: string): Promise<Tokens> {
  const query =
    'mutation Refresh($refreshToken: String!) { refresh(refreshToken: $refreshToken) { accessToken refreshToken expiresAt } }';
  const url = daemonUrl(target, 'auth');
  const data = await postGraphql<{ refresh: Tokens }>({
    url,
    query,
    variables: { refreshToken },
    repeatable: false,
  });
  const { accessToken, refreshToken: next, expiresAt } = data.refresh;
  return { accessToken, refreshToken: next, expiresAt };
}
