import type { IncomingMessage } from 'node:http';
import { type AppError, type ClassifyError, isAppError } from '@jobber/shared/errors';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';

/** Refuses a body of more than `maxBytes` by its stated length, or else while it arrives. */
export function limitBody(maxBytes: number, onError: (c: Context) => Response): MiddlewareHandler {
  const limitWhileArriving = bodyLimit({ maxSize: maxBytes, onError });
  return async function limit(c, next) {
    const length = c.req.header('content-length');
    // bodyLimit opens the body as a web stream before it looks at the length, which costs as much as the request itself.
    if (length === undefined || c.req.header('transfer-encoding')) return limitWhileArriving(c, next);
    return Number(length) > maxBytes ? onError(c) : next();
  };
}

/**
 * Refuses a request whose body has not arrived whole within `ms` milliseconds, so that nobody holds connections, and
 * places among the requests that are worked on, by sending a byte now and then. The connection is closed then.
 */
export function limitArrival(ms: number, onLate: (c: Context) => Response): MiddlewareHandler {
  return async function arrival(c, next) {
    const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
    if (!incoming || incoming.complete) return next();
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => {
      if (!incoming.complete) late.resolve('late');
    }, ms);
    try {
      if ((await Promise.race([next(), late.promise])) !== 'late') return;
    } finally {
      clearTimeout(timer);
    }
    c.header('connection', 'close');
    return onLate(c);
  };
}

/** A refusal as plain HTTP with JSON, for edges that are not GraphQL. Unknown errors become a bare 500. */
export function errorResponse(c: Context, error: unknown, classify?: ClassifyError): Response {
  const known = isAppError(error) ? error : classify?.(error);
  const refusal: Pick<AppError, 'code' | 'reason' | 'message' | 'details'> = known ?? {
    code: 500,
    reason: 'INTERNAL',
    message: 'Internal error',
    details: undefined,
  };
  const { code, reason, message, details } = refusal;
  return c.json({ message, code, reason, ...(details && { details }) }, code);
}
