import { AUTHENTICATION_COOKIE } from '@jobber/shared/auth-guard';
import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';

export interface CookieRules {
  /** Only over HTTPS. */
  readonly secure: boolean;
  /** The life of the token within. */
  readonly maxAgeSeconds: number;
}

/** Scripts of a page can't read the cookie, and other sites' pages can't make a browser send it. */
export function setAuthenticationCookie(c: Context, accessToken: string, rules: CookieRules): void {
  setCookie(c, AUTHENTICATION_COOKIE, accessToken, { ...attributes(rules), maxAge: rules.maxAgeSeconds });
}

export function clearAuthenticationCookie(c: Context, rules: CookieRules): void {
  deleteCookie(c, AUTHENTICATION_COOKIE, attributes(rules));
}

function attributes({ secure }: CookieRules) {
  return { path: '/', httpOnly: true, sameSite: 'Strict', secure } as const;
}
