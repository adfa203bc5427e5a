import { AppError } from '@jobber/shared/errors';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';

export const AUTHENTICATION_COOKIE = 'Authentication';

/**
 * The access token that a request presents: `Authorization: Bearer` first, then the cookie.
 * A browser sends the cookie by itself, so with it a request from another site's page is refused.
 * @throws AppError 403 CROSS_SITE
 */
export function presentedToken(c: Context): string | undefined {
  const header = c.req.header('authorization');
  if (header !== undefined) return /^Bearer +(\S+)$/i.exec(header)?.[1] ?? '';
  const cookie = getCookie(c, AUTHENTICATION_COOKIE);
  if (cookie !== undefined && isCrossSite(c)) {
    throw new AppError('CROSS_SITE', 'Forbidden: the request comes from another site');
  }
  return cookie;
}

function isCrossSite(c: Context): boolean {
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const origin = c.req.header('origin');
  return origin !== undefined && URL.parse(origin)?.host !== c.req.header('host');
}
